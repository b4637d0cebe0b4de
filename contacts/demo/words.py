"""What the demo's team writes down: titles, tags, sources, and the texts of notes, calls, e-mails and meetings."""

JOB_TITLES = (
    "Purchasing Manager",
    "Chief Executive",
    "Office Manager",
    "Head of Operations",
    "Buyer",
    "Accountant",
    "Marketing Director",
    "IT Lead",
    "Warehouse Supervisor",
    "Founder",
)
INDUSTRIES = ("Logistics", "Software", "Food", "Retail", "Manufacturing", "Energy", "Consulting", "Design", "Health")
TIERS = ("enterprise", "mid-market", "small business")
SOURCES = ("Website", "Trade fair", "Referral", "Newsletter", "Cold call", "Partner", "")
CONTACT_TAGS = ("vip", "newsletter", "decision maker", "early adopter", "trade fair 2026", "reseller", "wholesale")
COMPANY_TAGS = ("key account", "supplier", "partner", "export", "framework agreement")
NOTES = (
    "Prefers to be called in the morning, before ten.",
    "Asked for samples of the spring range and a price for 500 pieces.",
    "Budget is decided in the second week of the quarter; ask again then.",
    "Moved from a competitor after late deliveries. Wants delivery dates in writing.",
    "Speaks English and French; contracts in English are fine.",
    "Knows our founder from the fair in Lyon.",
    "Interested in the framework agreement, needs the board's approval.",
    "Wants invoices split by cost centre.",
)
CALLS = (
    "Talked through the offer; wants a discount of 5 % from 1,000 pieces.",
    "No answer, left a message.",
    "Confirmed the delivery address and the opening hours of the warehouse.",
    "Happy with the last delivery. Will order again next month.",
    "Complaint about two broken boxes, replacement promised for this week.",
    "Introduced ourselves, agreed on a visit.",
)
EMAILS = (
    "Sent the catalogue and the price list.",
    "Sent the offer, valid for thirty days.",
    "Answered questions on customs and delivery terms.",
    "Thanked for the order and named the delivery week.",
    "Invited to the open day in September.",
)
MEETINGS = (
    "Visited the warehouse together; two lines could be delivered by us.",
    "Video meeting with purchasing and quality. Next step: sample order.",
    "Lunch at the fair, met the new head of operations.",
    "Yearly review: volumes, claims, plans for next year.",
)
