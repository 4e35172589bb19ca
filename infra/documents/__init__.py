"""The API's own documents, made when the functions are packaged: OpenAPI, the page /docs/api and llms.txt.

Requests are described by the models that parse them, answers by the typed dictionaries that the dialects
return; tests hold the document against every answer they get. The served documents are files in the zip of
the functions; nothing is rendered per request.
"""
