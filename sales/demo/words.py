"""What the demo's deals and activities are called, why deals are lost, and what people note about them."""

from sales.models import StageKind

GOODS = (
    "office furniture",
    "spring range",
    "framework agreement",
    "warehouse shelving",
    "meeting room equipment",
    "showroom fittings",
    "yearly delivery",
    "sample order",
    "replacement chairs",
    "lighting for two floors",
    "canteen tables",
    "reception desk",
    "acoustic panels",
    "home office sets",
)
PARTNERSHIPS = ("distribution agreement", "referral agreement", "joint stand at the fair", "white label range")
STAGES_OF_PARTNERSHIP = {
    "First talk": (20, StageKind.OPEN),
    "Evaluation": (50, StageKind.OPEN),
    "Contract": (80, StageKind.OPEN),
    "Signed": (100, StageKind.WON),
    "Declined": (0, StageKind.LOST),
}
DEAL_TAGS = ("renewal", "upsell", "tender", "rush", "export", "pilot", "public sector")
SOURCES = ("Website", "Trade fair", "Referral", "Newsletter", "Cold call", "Partner", "")
DESCRIPTIONS = (
    "Delivery in two lots, the second in spring.",
    "Three suppliers were asked for an offer.",
    "Needs approval by the board.",
    "Price per unit matters more than the date of delivery.",
    "Follows from last year's order.",
)
MOVE_NOTES = (
    "Offer sent, answer expected within two weeks.",
    "Budget confirmed.",
    "Met the decision maker.",
    "Wants a second quote with assembly.",
    "Legal has the contract.",
    "Samples arrived and are liked.",
)
LOST_REASONS = ("Price", "Went with a competitor", "No budget this year", "No answer for two months", "Project stopped")
SUBJECTS = {
    "task": (
        "Prepare the offer",
        "Send samples",
        "Check the delivery date",
        "Update the price list",
        "Ask for the tax number",
        "Prepare the yearly review",
    ),
    "call": ("Call about the offer", "Call back", "Ask about the delivery", "Introduce ourselves by phone"),
    "meeting": ("Visit on site", "Video meeting", "Walk through the showroom", "Lunch at the fair"),
    "email": ("Send the catalogue", "Follow up by e-mail", "Send the contract", "Answer questions on customs"),
    "note": ("Note on the budget", "Note on the competition", "Who decides what"),
}
ACTIVITY_DESCRIPTIONS = (
    "Have the last order at hand.",
    "Bring the new catalogue.",
    "Ask who signs.",
    "Mention the discount from 1,000 pieces.",
    "Agree on the next step.",
)
