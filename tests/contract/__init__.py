"""The contract: what holds for every API and every resource, shown against something that answers like the API."""
