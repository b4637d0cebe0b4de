"""What the demo's shop sells, who makes it, where it is sent, and what is said about it."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Shelf:
    """A category of the third level: what stands there, at which prices (major units), in which forms it comes."""

    path: tuple[str, ...]
    prefix: str
    prices: tuple[int, int]
    styles: tuple[str, ...]
    nouns: tuple[str, ...]
    form: str
    forms: tuple[str, ...]


_SHELVES = """
Furniture/Seating/Office chairs; CHAIR; 89-690; Aria|Borg|Cleo|Elan; Swivel Chair|Task Chair|Stool; color=Black|Grey
Furniture/Seating/Visitors' chairs; VISIT; 69-520; Linus|Marta|Nils; Armchair|Cantilever Chair|Bench; color=Oak|Sand
Furniture/Tables/Desks; DESK; 219-1490; Pier|Quarto|Ridge; Standing Desk|Desk|Corner Desk; size=120 cm|160 cm|180 cm
Furniture/Tables/Meeting tables; TABLE; 349-2890; Forum|Guild|Hall; Meeting Table|Folding Table; top=Oak|Walnut|White
Furniture/Storage/Shelves; SHELF; 49-620; Stack|Trellis|Upton; Shelf|Wall Shelf|Room Divider;
Furniture/Storage/Cabinets; CAB; 129-980; Vault|Wick; Filing Cabinet|Sideboard|Locker; color=White|Anthracite
Lighting/Lamps/Desk lamps; LAMP; 29-240; Ray|Halo|Beam|Ember; Desk Lamp|Clip Lamp; color=Black|Brass|White
Lighting/Lamps/Floor lamps; FLOOR; 79-560; Mast|Reed|Arc; Floor Lamp|Uplighter;
Lighting/Ceiling/Pendants; PEND; 59-790; Drop|Cone|Dome; Pendant|Linear Light;
Technology/Computers/Laptops; LAPTOP; 749-2499; Professional|Travel|Studio; Laptop; memory=16 GB|32 GB
Technology/Computers/Screens; SCREEN; 149-1190; Clear|Wide|Duo; Screen|Touch Screen;
Technology/Sound/Headphones; SOUND; 39-390; Quiet|Field|Loft; Headphones|Headset|Speaker; color=Black|Ivory
Supplies/Paper/Notebooks; NOTE; 4-32; Dot|Line|Plain; Notebook|Sketchbook|Planner; size=A4|A5|A6
Supplies/Writing/Pens; PEN; 3-120; Swift|Calm|Bold; Fountain Pen|Ballpoint|Pencil Set;
Supplies/Kitchen/Cups; CUP; 6-48; Harbour|Meadow|Slate; Mug|Espresso Cup|Carafe; color=White|Blue|Clay
"""


def _shelf(line: str) -> Shelf:
    path, prefix, prices, styles, nouns, forms = (part.strip() for part in line.split(";"))
    low, _, high = prices.partition("-")
    form, _, values = forms.partition("=")
    return Shelf(
        path=tuple(path.split("/")),
        prefix=prefix,
        prices=(int(low), int(high)),
        styles=tuple(styles.split("|")),
        nouns=tuple(nouns.split("|")),
        form=form,
        forms=tuple(values.split("|")) if values else (),
    )


SHELVES = tuple(map(_shelf, _SHELVES.strip().splitlines()))
BRANDS = (
    "Nordholm",
    "Atelier Weiss",
    "TechCorp",
    "Fjord & Field",
    "Kasai",
    "Bright Works",
    "Papier Grand",
    "Torres Hogar",
)
MATERIALS = ("oak", "steel", "recycled aluminium", "wool felt", "ash", "bamboo", "glass", "linen")
SENTENCES = (
    "Made to last, with spare parts for ten years.",
    "Ships flat, assembled without tools.",
    "Tested for daily use in open offices.",
    "Comes in recycled packaging.",
    "A favourite of our customers since the first catalogue.",
    "Light enough to be carried by one person.",
)


@dataclass(frozen=True, slots=True)
class Example:
    """A product that the Storefront's document sells: 999.99, and with New York's 8.75 % 1087.49."""

    sku: str
    name: str
    price: int


FIRST_LAPTOP = Example("LAPTOP-001", "Professional Laptop", 99999)


@dataclass(frozen=True, slots=True)
class Rate:
    """A tax rate to be."""

    name: str
    country: str
    state: str
    percent: Decimal
    on_shipping: bool = False


RATES = (
    Rate("New York sales tax", "US", "NY", Decimal("8.75")),
    Rate("California sales tax", "US", "CA", Decimal("7.25")),
    Rate("Texas sales tax", "US", "TX", Decimal("6.25")),
    Rate("Mehrwertsteuer", "DE", "", Decimal(19), on_shipping=True),
    Rate("TVA", "FR", "", Decimal(20), on_shipping=True),
    Rate("VAT", "GB", "", Decimal(20), on_shipping=True),
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where an order is sent."""

    street: str
    city: str
    state: str
    code: str
    country: str


PLACES = (
    Place("123 Main St", "New York", "NY", "10001", "US"),
    Place("48 Court Street", "Brooklyn", "NY", "11201", "US"),
    Place("900 Valencia Street", "San Francisco", "CA", "94110", "US"),
    Place("17 Congress Avenue", "Austin", "TX", "78701", "US"),
    Place("205 Foundry Lane", "Portland", "OR", "97205", "US"),
    Place("Lindenallee 7", "Köln", "", "50667", "DE"),
    Place("Am Alten Hafen 3", "Lübeck", "", "23552", "DE"),
    Place("12 quai des Orfèvres", "Lyon", "", "69002", "FR"),
    Place("9 Station Road", "Leeds", "", "LS1 4AP", "GB"),
    Place("Strandvejen 44", "Aarhus", "", "8000", "DK"),
)


@dataclass(frozen=True, slots=True)
class Way:
    """A shipping method to be; amounts in major units."""

    code: str
    name: str
    price: int
    free_from: int | None = None


STANDARD = Way("ship_standard", "Standard", 0)  # every organization starts with it
WAYS = (Way("ship_express", "Express, next working day", 19, 500), Way("ship_freight", "Freight, to the kerb", 89))


@dataclass(frozen=True, slots=True)
class Offer:
    """A promotion to be: `value` in percent or major units, its time counted back from today.

    `share` says how many of the orders that could use it do.
    """

    code: str
    kind: str
    value: int
    share: float
    begun: timedelta | None = None
    ended: timedelta | None = None
    minimum: int = 0
    uses: int | None = None
    uses_each: int | None = None


OFFERS = (
    Offer("SAVE10", "percentage", 10, 0.12),
    Offer("WELCOME5", "fixed", 5, 0.2, minimum=50, uses_each=1),
    Offer("SPRING25", "percentage", 25, 0.5, begun=timedelta(days=230), ended=timedelta(days=170)),
    Offer("FIRST10", "fixed", 20, 0.6, begun=timedelta(days=300), uses=10),
)
ORDER_NOTES = ("Rush order", "Please deliver after 5 PM", "Ring at the back door", "One delivery, please", "")
SHIPPED_WITH = "Shipped via UPS"
REASONS_FOR_RETURN = ("Damaged in transit", "Did not fit", "Ordered twice")
