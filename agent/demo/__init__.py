"""The embedded POHODA and the embedded shop: what the demo and the tests run on. They ship with the product."""
