"""The entry point for web servers: `gunicorn project.wsgi`."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
django_application = get_wsgi_application()

from crm.builders.refusals import refuse_encodings  # noqa: E402  (settings must be there first)
from crm.records.uploads import WholeBody  # noqa: E402  (settings must be there first)

application = refuse_encodings(WholeBody(django_application))
