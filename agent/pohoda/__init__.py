"""POHODA's own formats, as pure functions: nothing here knows a network, a thread or the state.

* `envelope` says what a document is by its head, and whether its root closes.
* `items` splits a document at the borders of its items, on bytes, and knows where to go on after a break.
* `stock`, `categories`, `parameters`, `suppliers`, `stores`, `orders` make frozen values of those items.
* `bad` holds the reasons for which a document or an item cannot be used.

Documents that POHODA wrote are read tolerantly and never validated: real ones break POHODA's own schema (empty elements
where nothing is known, children in any order). What is refused is what could harm or what could be misread: document
types and entities, foreign namespaces, broken markup, bytes that are not in the declared encoding.
"""
