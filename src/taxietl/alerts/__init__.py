"""Telling people what happened: a digest of each command to the addresses of `[[alerts]]`.

What may be told is an event of a run, by its name, or that it `failed` or `crashed`; nothing here
knows what events mean. A digest that cannot be sent is logged, and fails nothing.

    digest         what happened → what one address is told   (pure)
    telling        runs that have ended → digests → sent
    sending        hand messages to Apprise, in a process of its own, and wait for it so long
    apprise_child  that process
"""
