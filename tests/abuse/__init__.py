"""What abuse costs its caller and what it costs the stage: each case runs the product's own code and counts.

`row` is one line of the table, `money`, `load` and `media` make the lines, `page` is docs/abuse.md. A
new way to have the stage work for nothing becomes a case, with the bound that it must stay under.
"""
