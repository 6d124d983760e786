"""What a payment is judged by: whom a service may credit, discounts, the opening tariff."""
