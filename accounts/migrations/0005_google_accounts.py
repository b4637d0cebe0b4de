from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0004_custom_permissions")]

    operations = [
        migrations.AddField(
            "oauthstate", "browser_hash", models.CharField(blank=True, db_default="", default="", max_length=64)
        ),
        migrations.AddField(
            "user",
            "google_subject",
            models.CharField(blank=True, db_default="", default="", editable=False, max_length=255),
        ),
        migrations.AddConstraint(
            "user",
            models.UniqueConstraint(
                fields=["organization", "google_subject"],
                name="user_google_once",
                condition=models.Q(("google_subject", ""), _negated=True),
            ),
        ),
    ]
