"""Transfer: files in and out, CSV, XLSX and JSON, in the admin and as commands.

Columns and conversions are those of the field types, carried by a resource of django-import-export; the import itself
works on whole columns and writes in bulk, with every error told and nothing half done.
"""
