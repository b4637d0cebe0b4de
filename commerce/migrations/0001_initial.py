import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.contrib.postgres.search
import django.core.validators
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.comparison
from django.conf import settings
from django.db import migrations, models

import crm.core.db.models
import crm.core.ids
from crm.core.db.operations import CountedRows, TenantTable


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0001_initial"),
        ("contacts", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Brand",
            fields=[
                ("id", models.UUIDField(default=crm.core.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=100)),
                ("name_normalized", models.CharField(editable=False, max_length=100)),
                ("slug", models.CharField(max_length=120)),
                ("description", models.TextField(blank=True)),
                ("logo_url", models.CharField(blank=True, max_length=500)),
                ("active", models.BooleanField(default=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("deleted_at", models.DateTimeField(blank=True, editable=False, null=True)),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.organization",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Cart",
            fields=[
                ("id", models.UUIDField(default=crm.core.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.organization",
                    ),
                ),
                (
                    "user",
                    crm.core.db.models.TenantForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Category",
            fields=[
                ("id", models.UUIDField(default=crm.core.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=100)),
                ("name_normalized", models.CharField(editable=False, max_length=100)),
                ("slug", models.CharField(max_length=120)),
                ("description", models.TextField(blank=True)),
                ("image_url", models.CharField(blank=True, max_length=500)),
                ("active", models.BooleanField(default=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("deleted_at", models.DateTimeField(blank=True, editable=False, null=True)),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.organization",
                    ),
                ),
                (
                    "parent",
                    crm.core.db.models.TenantForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="children",
                        to="commerce.category",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "categories",
            },
        ),
        migrations.CreateModel(
            name="Order",
            fields=[
                ("id", models.UUIDField(default=crm.core.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("order_number", models.CharField(max_length=12)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("pending", "Pending"),
                            ("confirmed", "Confirmed"),
                            ("processing", "Processing"),
                            ("shipped", "Shipped"),
                            ("delivered", "Delivered"),
                            ("cancelled", "Cancelled"),
                            ("refunded", "Refunded"),
                        ],
                        default="pending",
                        max_length=10,
                    ),
                ),
                ("currency", models.CharField(max_length=3)),
                ("subtotal", models.BigIntegerField()),
                ("discount_total", models.BigIntegerField(default=0)),
                ("tax_total", models.BigIntegerField(default=0)),
                ("shipping_total", models.BigIntegerField(default=0)),
                ("total", models.BigIntegerField()),
                ("pricing", models.JSONField(default=dict)),
                ("shipping_address", models.JSONField(blank=True, null=True)),
                ("billing_address", models.JSONField(blank=True, null=True)),
                ("shipping_method", models.CharField(blank=True, max_length=40)),
                (
                    "promotion_codes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=40), blank=True, default=list, size=None
                    ),
                ),
                ("payment_method", models.CharField(blank=True, max_length=200)),
                ("tracking_number", models.CharField(blank=True, max_length=200)),
                ("notes", models.TextField(blank=True)),
                ("stock_returned_at", models.DateTimeField(blank=True, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "created_by",
                    crm.core.db.models.TenantForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "customer",
                    crm.core.db.models.TenantForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="contacts.contact",
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.organization",
                    ),
                ),
                (
                    "user",
                    crm.core.db.models.TenantForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Promotion",
            fields=[
                ("id", models.UUIDField(default=crm.core.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("code", models.CharField(max_length=40)),
                ("code_normalized", models.CharField(editable=False, max_length=120)),
                ("type", models.CharField(choices=[("percentage", "Percentage"), ("fixed", "Fixed")], max_length=10)),
                ("value", models.BigIntegerField()),
                ("currency", models.CharField(editable=False, max_length=3)),
                ("starts_at", models.DateTimeField(blank=True, null=True)),
                ("ends_at", models.DateTimeField(blank=True, null=True)),
                ("minimum_total", models.BigIntegerField(default=0)),
                ("max_uses", models.PositiveIntegerField(blank=True, null=True)),
                ("max_uses_per_user", models.PositiveIntegerField(blank=True, null=True)),
                ("uses", models.PositiveIntegerField(default=0, editable=False)),
                ("active", models.BooleanField(default=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("deleted_at", models.DateTimeField(blank=True, editable=False, null=True)),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.organization",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="PromotionUse",
            fields=[
                ("id", models.UUIDField(default=crm.core.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("returned_at", models.DateTimeField(blank=True, null=True)),
                (
                    "customer",
                    crm.core.db.models.TenantForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="contacts.contact",
                    ),
                ),
                (
                    "order",
                    crm.core.db.models.TenantForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="redemptions",
                        to="commerce.order",
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.organization",
                    ),
                ),
                (
                    "promotion",
                    crm.core.db.models.TenantForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="redemptions",
                        to="commerce.promotion",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="ShippingMethod",
            fields=[
                ("id", models.UUIDField(default=crm.core.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("code", models.CharField(max_length=40)),
                ("code_normalized", models.CharField(editable=False, max_length=120)),
                ("name", models.CharField(max_length=100)),
                ("currency", models.CharField(editable=False, max_length=3)),
                ("price", models.BigIntegerField(default=0)),
                ("free_from", models.BigIntegerField(blank=True, null=True)),
                ("active", models.BooleanField(default=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("deleted_at", models.DateTimeField(blank=True, editable=False, null=True)),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.organization",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="StockItem",
            fields=[
                ("id", models.UUIDField(default=crm.core.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("quantity", models.BigIntegerField(default=0)),
                ("reorder_level", models.PositiveIntegerField(default=0)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.organization",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Product",
            fields=[
                ("id", models.UUIDField(default=crm.core.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=200)),
                ("name_normalized", models.CharField(editable=False, max_length=200)),
                ("sku", models.CharField(max_length=64)),
                ("sku_normalized", models.CharField(editable=False, max_length=200)),
                ("description", models.TextField(blank=True)),
                ("price", models.BigIntegerField()),
                ("sale_price", models.BigIntegerField(blank=True, null=True)),
                (
                    "current_price",
                    models.GeneratedField(
                        db_persist=True,
                        expression=django.db.models.functions.comparison.Coalesce("sale_price", "price"),
                        output_field=models.BigIntegerField(),
                    ),
                ),
                ("cost", models.BigIntegerField(blank=True, null=True)),
                ("currency", models.CharField(max_length=3)),
                (
                    "status",
                    models.CharField(
                        choices=[("active", "Active"), ("inactive", "Inactive"), ("discontinued", "Discontinued")],
                        default="active",
                        max_length=12,
                    ),
                ),
                (
                    "images",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=500), blank=True, default=list, size=None
                    ),
                ),
                ("attributes", models.JSONField(blank=True, default=dict)),
                ("search", django.contrib.postgres.search.SearchVectorField(editable=False, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("deleted_at", models.DateTimeField(blank=True, editable=False, null=True)),
                (
                    "brand",
                    crm.core.db.models.TenantForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="products",
                        to="commerce.brand",
                    ),
                ),
                (
                    "category",
                    crm.core.db.models.TenantForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="products",
                        to="commerce.category",
                    ),
                ),
                (
                    "created_by",
                    crm.core.db.models.TenantForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.organization",
                    ),
                ),
                (
                    "stock",
                    crm.core.db.models.TenantForeignKey(
                        db_constraint=False,
                        db_index=False,
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="products",
                        to="commerce.stockitem",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="StockMovement",
            fields=[
                ("id", models.UUIDField(default=crm.core.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("change", models.BigIntegerField()),
                ("balance", models.BigIntegerField()),
                (
                    "type",
                    models.CharField(
                        choices=[
                            ("restock", "Restock"),
                            ("sale", "Sale"),
                            ("return", "Return"),
                            ("damage", "Damage"),
                            ("correction", "Correction"),
                            ("transfer", "Transfer"),
                        ],
                        max_length=10,
                    ),
                ),
                ("reason", models.CharField(blank=True, max_length=500)),
                ("cost_per_unit", models.BigIntegerField(blank=True, null=True)),
                ("currency", models.CharField(blank=True, max_length=3)),
                ("reference_type", models.CharField(blank=True, max_length=30)),
                ("reference_id", models.UUIDField(blank=True, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "created_by",
                    crm.core.db.models.TenantForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.organization",
                    ),
                ),
                (
                    "stock",
                    crm.core.db.models.TenantForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="movements",
                        to="commerce.stockitem",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="TaxRate",
            fields=[
                ("id", models.UUIDField(default=crm.core.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=100)),
                ("country", models.CharField(max_length=2)),
                ("state", models.CharField(blank=True, max_length=3)),
                (
                    "rate",
                    models.DecimalField(
                        decimal_places=4,
                        max_digits=7,
                        validators=[
                            django.core.validators.MinValueValidator(0),
                            django.core.validators.MaxValueValidator(100),
                        ],
                    ),
                ),
                ("starts_on", models.DateField()),
                ("applies_to_shipping", models.BooleanField(default=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("deleted_at", models.DateTimeField(blank=True, editable=False, null=True)),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.organization",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Variant",
            fields=[
                ("id", models.UUIDField(default=crm.core.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("sku", models.CharField(max_length=64)),
                ("sku_normalized", models.CharField(editable=False, max_length=200)),
                ("name", models.CharField(max_length=200)),
                ("attributes", models.JSONField(blank=True, default=dict)),
                ("price", models.BigIntegerField(blank=True, null=True)),
                ("active", models.BooleanField(default=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("deleted_at", models.DateTimeField(blank=True, editable=False, null=True)),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.organization",
                    ),
                ),
                (
                    "product",
                    crm.core.db.models.TenantForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="variants",
                        to="commerce.product",
                    ),
                ),
                (
                    "stock",
                    crm.core.db.models.TenantForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="commerce.stockitem",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="OrderItem",
            fields=[
                ("id", models.UUIDField(default=crm.core.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("position", models.PositiveIntegerField()),
                ("sku", models.CharField(max_length=64)),
                ("name", models.CharField(max_length=401)),
                ("attributes", models.JSONField(blank=True, default=dict)),
                ("quantity", models.PositiveIntegerField()),
                ("unit_price", models.BigIntegerField()),
                ("discount", models.BigIntegerField(default=0)),
                ("tax", models.BigIntegerField(default=0)),
                ("total", models.BigIntegerField()),
                (
                    "order",
                    crm.core.db.models.TenantForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="items",
                        to="commerce.order",
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.organization",
                    ),
                ),
                (
                    "product",
                    crm.core.db.models.TenantForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="commerce.product",
                    ),
                ),
                (
                    "variant",
                    crm.core.db.models.TenantForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="commerce.variant",
                    ),
                ),
            ],
            options={
                "ordering": ["position"],
            },
        ),
        migrations.CreateModel(
            name="CartItem",
            fields=[
                ("id", models.UUIDField(default=crm.core.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("quantity", models.PositiveIntegerField()),
                ("attributes", models.JSONField(blank=True, default=dict)),
                ("choice", models.CharField(editable=False, max_length=64)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "cart",
                    crm.core.db.models.TenantForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="items",
                        to="commerce.cart",
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.organization",
                    ),
                ),
                (
                    "product",
                    crm.core.db.models.TenantForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="commerce.product",
                    ),
                ),
                (
                    "variant",
                    crm.core.db.models.TenantForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="commerce.variant",
                    ),
                ),
            ],
            options={
                "ordering": ["created_at", "id"],
            },
        ),
        migrations.AddIndex(
            model_name="brand",
            index=models.Index(
                models.F("organization"),
                models.F("name_normalized"),
                models.F("id"),
                condition=models.Q(("deleted_at", None)),
                name="brand_name",
            ),
        ),
        migrations.AddConstraint(
            model_name="brand",
            constraint=models.UniqueConstraint(
                condition=models.Q(("deleted_at", None)), fields=("organization", "slug"), name="brand_slug_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="cart",
            constraint=models.UniqueConstraint(fields=("organization", "user"), name="cart_once"),
        ),
        migrations.AddIndex(
            model_name="category",
            index=models.Index(
                models.F("organization"),
                models.F("parent"),
                models.F("id"),
                condition=models.Q(("deleted_at", None)),
                name="category_parent",
            ),
        ),
        migrations.AddIndex(
            model_name="category",
            index=models.Index(
                models.F("organization"),
                models.F("name_normalized"),
                models.F("id"),
                condition=models.Q(("deleted_at", None)),
                name="category_name",
            ),
        ),
        migrations.AddConstraint(
            model_name="category",
            constraint=models.UniqueConstraint(
                condition=models.Q(("deleted_at", None)), fields=("organization", "slug"), name="category_slug_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="category",
            constraint=models.CheckConstraint(
                condition=models.Q(("parent", models.F("id")), _negated=True), name="category_not_its_own_parent"
            ),
        ),
        migrations.AddIndex(
            model_name="order",
            index=models.Index(
                models.F("organization"),
                models.OrderBy(models.F("created_at"), descending=True),
                models.OrderBy(models.F("id"), descending=True),
                name="order_recent",
            ),
        ),
        migrations.AddIndex(
            model_name="order",
            index=models.Index(
                models.F("organization"),
                models.F("customer"),
                models.OrderBy(models.F("created_at"), descending=True),
                models.OrderBy(models.F("id"), descending=True),
                name="order_customer",
            ),
        ),
        migrations.AddIndex(
            model_name="order",
            index=models.Index(
                models.F("organization"),
                models.F("user"),
                models.OrderBy(models.F("created_at"), descending=True),
                models.OrderBy(models.F("id"), descending=True),
                condition=models.Q(("user__isnull", False)),
                name="order_user",
            ),
        ),
        migrations.AddIndex(
            model_name="order",
            index=models.Index(
                models.F("organization"),
                models.F("status"),
                models.OrderBy(models.F("created_at"), descending=True),
                models.OrderBy(models.F("id"), descending=True),
                name="order_status",
            ),
        ),
        migrations.AddConstraint(
            model_name="order",
            constraint=models.UniqueConstraint(fields=("organization", "order_number"), name="order_number_once"),
        ),
        migrations.AddConstraint(
            model_name="order",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "total",
                        django.db.models.expressions.CombinedExpression(
                            django.db.models.expressions.CombinedExpression(
                                django.db.models.expressions.CombinedExpression(
                                    models.F("subtotal"), "-", models.F("discount_total")
                                ),
                                "+",
                                models.F("tax_total"),
                            ),
                            "+",
                            models.F("shipping_total"),
                        ),
                    )
                ),
                name="order_adds_up",
            ),
        ),
        migrations.AddConstraint(
            model_name="promotion",
            constraint=models.UniqueConstraint(
                condition=models.Q(("deleted_at", None)),
                fields=("organization", "code_normalized"),
                name="promotion_code_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="promotion",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("value__gt", 0),
                    ("value__lte", 999999999999999),
                    models.Q(("type", "fixed"), ("value__lte", 10000), _connector="OR"),
                ),
                name="promotion_value_range",
            ),
        ),
        migrations.AddConstraint(
            model_name="promotion",
            constraint=models.CheckConstraint(
                condition=models.Q(("minimum_total__gte", 0), ("minimum_total__lte", 999999999999999)),
                name="promotion_minimum_range",
            ),
        ),
        migrations.AddConstraint(
            model_name="promotion",
            constraint=models.CheckConstraint(
                condition=models.Q(("max_uses__isnull", True), ("uses__lte", models.F("max_uses")), _connector="OR"),
                name="promotion_never_overused",
            ),
        ),
        migrations.AddIndex(
            model_name="promotionuse",
            index=models.Index(
                models.F("organization"), models.F("promotion"), models.F("customer"), name="promotion_use_customer"
            ),
        ),
        migrations.AddIndex(
            model_name="promotionuse",
            index=models.Index(models.F("organization"), models.F("order"), name="promotion_use_order"),
        ),
        migrations.AddConstraint(
            model_name="promotionuse",
            constraint=models.UniqueConstraint(
                fields=("organization", "promotion", "order"), name="promotion_use_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="shippingmethod",
            constraint=models.UniqueConstraint(
                condition=models.Q(("deleted_at", None)),
                fields=("organization", "code_normalized"),
                name="shipping_code_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="shippingmethod",
            constraint=models.CheckConstraint(
                condition=models.Q(("price__gte", 0), ("price__lte", 999999999999999)), name="shipping_price_range"
            ),
        ),
        migrations.AddConstraint(
            model_name="shippingmethod",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("free_from__isnull", True),
                    models.Q(("free_from__gte", 0), ("free_from__lte", 999999999999999)),
                    _connector="OR",
                ),
                name="shipping_free_from_range",
            ),
        ),
        migrations.AddConstraint(
            model_name="stockitem",
            constraint=models.CheckConstraint(condition=models.Q(("quantity__gte", 0)), name="stock_never_negative"),
        ),
        migrations.AddIndex(
            model_name="product",
            index=models.Index(
                models.F("organization"),
                models.OrderBy(models.F("created_at"), descending=True),
                models.OrderBy(models.F("id"), descending=True),
                condition=models.Q(("deleted_at", None)),
                name="product_recent",
            ),
        ),
        migrations.AddIndex(
            model_name="product",
            index=models.Index(
                models.F("organization"),
                models.OrderBy(models.F("created_at"), descending=True),
                models.OrderBy(models.F("id"), descending=True),
                condition=models.Q(("deleted_at", None), ("status", "active")),
                name="product_on_sale",
            ),
        ),
        migrations.AddIndex(
            model_name="product",
            index=models.Index(
                models.F("organization"),
                models.F("current_price"),
                models.F("id"),
                condition=models.Q(("deleted_at", None), ("status", "active")),
                name="product_on_sale_price",
            ),
        ),
        migrations.AddIndex(
            model_name="product",
            index=models.Index(
                models.F("organization"),
                models.F("name_normalized"),
                models.F("id"),
                condition=models.Q(("deleted_at", None)),
                name="product_name",
            ),
        ),
        migrations.AddIndex(
            model_name="product",
            index=models.Index(
                models.F("organization"),
                models.F("brand"),
                models.OrderBy(models.F("created_at"), descending=True),
                models.OrderBy(models.F("id"), descending=True),
                condition=models.Q(("brand__isnull", False), ("deleted_at", None)),
                name="product_brand",
            ),
        ),
        migrations.AddIndex(
            model_name="product",
            index=models.Index(
                models.F("organization"),
                models.F("category"),
                models.OrderBy(models.F("created_at"), descending=True),
                models.OrderBy(models.F("id"), descending=True),
                condition=models.Q(("deleted_at", None)),
                name="product_category",
            ),
        ),
        migrations.AddIndex(
            model_name="product",
            index=models.Index(
                django.contrib.postgres.indexes.OpClass("name_normalized", "varchar_pattern_ops"),
                name="product_name_prefix",
            ),
        ),
        migrations.AddIndex(
            model_name="product",
            index=models.Index(
                django.contrib.postgres.indexes.OpClass("sku_normalized", "varchar_pattern_ops"),
                name="product_sku_prefix",
            ),
        ),
        migrations.AddIndex(
            model_name="product",
            index=django.contrib.postgres.indexes.GinIndex(models.F("search"), fastupdate=False, name="product_search"),
        ),
        migrations.AddConstraint(
            model_name="product",
            constraint=models.UniqueConstraint(
                condition=models.Q(("deleted_at", None)),
                fields=("organization", "sku_normalized"),
                name="product_sku_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="product",
            constraint=models.UniqueConstraint(fields=("organization", "stock"), name="product_stock_once"),
        ),
        migrations.AddConstraint(
            model_name="product",
            constraint=models.CheckConstraint(
                condition=models.Q(("price__gte", 0), ("price__lte", 999999999999999)), name="product_price_range"
            ),
        ),
        migrations.AddConstraint(
            model_name="product",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("sale_price__isnull", True),
                    models.Q(("sale_price__gte", 0), ("sale_price__lte", 999999999999999)),
                    _connector="OR",
                ),
                name="product_sale_price_range",
            ),
        ),
        migrations.AddIndex(
            model_name="stockmovement",
            index=models.Index(
                models.F("organization"),
                models.F("stock"),
                models.OrderBy(models.F("created_at"), descending=True),
                models.OrderBy(models.F("id"), descending=True),
                name="movement_recent",
            ),
        ),
        migrations.AddIndex(
            model_name="stockmovement",
            index=models.Index(
                models.F("organization"),
                models.F("reference_id"),
                condition=models.Q(("reference_id__isnull", False)),
                name="movement_reference",
            ),
        ),
        migrations.AddConstraint(
            model_name="stockmovement",
            constraint=models.CheckConstraint(
                condition=models.Q(("change", 0), _negated=True), name="movement_changes_something"
            ),
        ),
        migrations.AddConstraint(
            model_name="stockmovement",
            constraint=models.CheckConstraint(
                condition=models.Q(("balance__gte", 0)), name="movement_never_below_zero"
            ),
        ),
        migrations.AddConstraint(
            model_name="taxrate",
            constraint=models.UniqueConstraint(
                condition=models.Q(("deleted_at", None)),
                fields=("organization", "country", "state", "starts_on"),
                name="tax_rate_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="taxrate",
            constraint=models.CheckConstraint(
                condition=models.Q(("rate__gte", 0), ("rate__lte", 100)), name="tax_rate_range"
            ),
        ),
        migrations.AddIndex(
            model_name="variant",
            index=models.Index(models.F("organization"), models.F("product"), models.F("id"), name="variant_product"),
        ),
        migrations.AddConstraint(
            model_name="variant",
            constraint=models.UniqueConstraint(
                condition=models.Q(("deleted_at", None)),
                fields=("organization", "sku_normalized"),
                name="variant_sku_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="variant",
            constraint=models.UniqueConstraint(fields=("organization", "stock"), name="variant_stock_once"),
        ),
        migrations.AddConstraint(
            model_name="variant",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("price__isnull", True),
                    models.Q(("price__gte", 0), ("price__lte", 999999999999999)),
                    _connector="OR",
                ),
                name="variant_price_range",
            ),
        ),
        migrations.AddIndex(
            model_name="orderitem",
            index=models.Index(models.F("organization"), models.F("product"), name="order_item_product"),
        ),
        migrations.AddConstraint(
            model_name="orderitem",
            constraint=models.UniqueConstraint(
                fields=("organization", "order", "position"), name="order_item_position_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="orderitem",
            constraint=models.CheckConstraint(condition=models.Q(("quantity__gte", 1)), name="order_item_quantity"),
        ),
        migrations.AddConstraint(
            model_name="orderitem",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "total",
                        django.db.models.expressions.CombinedExpression(
                            django.db.models.expressions.CombinedExpression(
                                django.db.models.expressions.CombinedExpression(
                                    models.F("unit_price"), "*", models.F("quantity")
                                ),
                                "-",
                                models.F("discount"),
                            ),
                            "+",
                            models.F("tax"),
                        ),
                    ),
                    ("total__gte", 0),
                ),
                name="order_item_adds_up",
            ),
        ),
        migrations.AddConstraint(
            model_name="cartitem",
            constraint=models.UniqueConstraint(fields=("organization", "cart", "choice"), name="cart_item_once"),
        ),
        migrations.AddConstraint(
            model_name="cartitem",
            constraint=models.CheckConstraint(
                condition=models.Q(("quantity__gte", 1), ("quantity__lte", 999)), name="cart_item_quantity_range"
            ),
        ),
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
