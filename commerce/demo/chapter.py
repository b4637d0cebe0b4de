"""The chapter of commerce: a shop with its catalog and terms, a year of orders, and the stock that they left."""

import time
from argparse import ArgumentParser

from commerce.demo import goods
from commerce.demo.booking import Books
from commerce.demo.goods import ACTIVE
from commerce.demo.selling import Customer, Selling
from commerce.demo.shelving import Catalog, Terms
from commerce.models import Product
from commerce.services import carts
from contacts.demo.chapters import Telling
from contacts.demo.customers import customers_of
from contacts.models import Contact
from crm.core.actor import Actor
from crm.core.db import tenant

MOST = 5_000  # orders, unless more are asked for
IN_THE_CART = 3


def add_options(parser: ArgumentParser) -> None:
    """Declare `--products` and `--orders`."""
    parser.add_argument("--products", type=int, default=60, help="how many (default: %(default)s)")
    parser.add_argument("--orders", type=int, help=f"default: 5 for 8 contacts, at most {MOST:,}")


def tell(telling: Telling) -> None:
    """Write catalog, terms, orders and stock; an organization that sells something already keeps its shop as it is."""
    began, currency = time.monotonic(), telling.organization.currency
    with tenant(telling.organization_id):
        if Product.objects.of(telling.organization_id).exists():
            telling.say("The shop is there already.")
            return
        contacts = customers_of(telling.organization_id)
    shoppers = [contact for contact in contacts if contact.user_id]
    customers = [contact for contact in contacts if not contact.user_id]
    invented = list(goods.products(telling.seed, telling.options["products"], currency=currency, today=telling.today))
    selling = Selling(
        telling.seed,
        products=invented,
        customers=[Customer(str(contact), contact.created_at) for contact in customers],
        shoppers=[Customer(str(contact), contact.created_at) for contact in shoppers],
        currency=currency,
        today=telling.today,
    )
    requested = telling.options["orders"]
    orders = selling.orders(min(telling.options["contacts"] * 5 // 8, MOST) if requested is None else requested)
    catalog = Catalog(telling, invented)
    books = Books(telling, catalog, orders, customers=customers, shoppers=shoppers)
    terms = Terms(telling, books.uses)
    with tenant(telling.organization_id):
        catalog.write()
        terms.write()
    books.write(terms)
    if shoppers:
        _fill_cart(telling, catalog, shoppers[-1])
    telling.say(f"{len(invented):,} products, {len(orders):,} orders, {time.monotonic() - began:.1f} s")


def _fill_cart(telling: Telling, catalog: Catalog, shopper: Contact) -> None:
    """Let the newest shopper be about to order something."""
    organization = telling.organization
    actor = Actor(organization.pk, shopper.user_id, currency=organization.currency, roles=("customer",))
    sold = [at for at, one in enumerate(catalog.invented) if one.status == ACTIVE and catalog.items[at].quantity > 1]
    with tenant(organization.pk):
        for at in sold[:IN_THE_CART]:
            variants = catalog.variants[at]
            variant_id = variants[0].pk if variants else None
            carts.add_item(actor, product_id=catalog.products[at].pk, variant_id=variant_id, quantity=1)
