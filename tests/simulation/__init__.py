"""The product in virtual time: its own code on a simulated DynamoDB, at rates that a local cloud cannot
serve.

`kernel` is the time, `table` the table with its locks and partitions, `transaction` its two phases,
`client` what the product calls instead of botocore's client. `product` binds the product, `workflow` walks
its state machine, `scenarios` are what `make simulate` prints. Everything assumed of AWS is in
`assumptions`.
"""
