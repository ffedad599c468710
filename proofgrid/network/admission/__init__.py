"""Who may prove here, and how well they do: capacity challenges, reputation, and what the market reads of both."""
