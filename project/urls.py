"""All addresses."""

from django.contrib import admin
from django.urls import path
from django.views.generic import RedirectView

from crm.builders.files import serve_file

handler500 = "crm.builders.refusals.server_error"
urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index"), name="home"),
    path("admin/", admin.site.urls),
    path("files/<path:name>", serve_file, name="file"),
]
