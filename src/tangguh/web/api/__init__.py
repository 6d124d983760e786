"""The customers' API: operations, the shapes they take and give, and the document made of them."""
