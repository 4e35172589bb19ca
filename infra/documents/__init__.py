"""The API's own documents, made when the functions are packaged: OpenAPI, the page /docs/api and llms.txt.

Requests are described by the models that parse them, answers by the models in here, which tests hold against
every answer they get. The served documents are files in the functions' zip; nothing is rendered per request.
"""
