"""Targets that try to look good on the board without being good; `echosim audit` holds them against it.

None knows the truth, the claim or which side is right: each goes by the user's words and its key alone.
Their intents say what they pretend, which is nothing that a reading could be validated with.
"""
