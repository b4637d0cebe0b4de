from django.db import migrations

from crm.core.db.operations import CountedRows, TenantTable


class Migration(migrations.Migration):
    dependencies = [("commerce", "0001_initial"), ("contacts", "0002_walls")]

    operations = [
        TenantTable("commerce_stockitem"),
        TenantTable(
            "commerce_stockmovement",
            {"stock_id": "commerce_stockitem", "created_by_id": "accounts_user"},
            append_only=True,
        ),
        TenantTable("commerce_category", {"parent_id": "commerce_category"}),
        TenantTable("commerce_brand"),
        TenantTable(
            "commerce_product",
            {
                "category_id": "commerce_category",
                "brand_id": "commerce_brand",
                "stock_id": "commerce_stockitem",
                "created_by_id": "accounts_user",
            },
        ),
        TenantTable("commerce_variant", {"product_id": "commerce_product", "stock_id": "commerce_stockitem"}),
        TenantTable("commerce_promotion"),
        TenantTable("commerce_shippingmethod"),
        TenantTable("commerce_taxrate"),
        TenantTable("commerce_cart", {"user_id": "accounts_user"}),
        TenantTable(
            "commerce_cartitem",
            {"cart_id": "commerce_cart", "product_id": "commerce_product", "variant_id": "commerce_variant"},
        ),
        TenantTable(
            "commerce_order",
            {"customer_id": "contacts_contact", "user_id": "accounts_user", "created_by_id": "accounts_user"},
        ),
        TenantTable(
            "commerce_orderitem",
            {"order_id": "commerce_order", "product_id": "commerce_product", "variant_id": "commerce_variant"},
        ),
        TenantTable(
            "commerce_promotionuse",
            {
                "promotion_id": "commerce_promotion",
                "order_id": "commerce_order",
                "customer_id": "contacts_contact",
            },
        ),
        CountedRows("commerce_product", "products"),
        CountedRows("commerce_product", "products on sale", alive="deleted_at IS NULL AND status = 'active'"),
        CountedRows("commerce_order", "orders", owner="created_by_id", alive="true"),
    ]
