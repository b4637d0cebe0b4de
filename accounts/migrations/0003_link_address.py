from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_walls")]

    operations = [
        migrations.AddField(
            model_name="onetimelink",
            name="email_normalized",
            field=models.CharField(blank=True, db_default="", default="", editable=False, max_length=254),
        ),
    ]
