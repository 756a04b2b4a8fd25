"""Commands at times of day: systemd timers, crontab lines, or a scheduler in the foreground.

A schedule is two small files in `TAXIETL_HOME/schedules`, each with one writer, and a lock:

    NAME.json       what to run, when, in which folder, and what starts it   `schedule add`
    NAME.last.json  what came of it                                          whoever holds the lock
    NAME.lock       held while it runs                                       `schedule exec`

The unit, the crontab line and the foreground scheduler all start the same: `taxietl schedule exec
NAME`, which takes the lock (so two never overlap: exit code 75), runs the command as a child
process, records the outcome and passes the exit code on. The child shares the lock, so it is held
until both are gone, however they went. An exec that was killed left a start without an end; the
unit's `OnFailure=` (`schedule failed NAME`), or else the next start, reports it as crashed.

    definition   the schedule as a value, and its file
    cron         cron expressions: checked, next times, as systemd writes them
    stamps       a hash in written texts, so that edits by hand are noticed
    systemd      the texts of the units         (pure)
    crontab      a block of lines in a crontab  (pure)
    folders      where systemd looks for units and credentials
    needs        what the configuration needs that systemd and cron do not pass on
    programs     systemctl, systemd-analyze, loginctl and crontab, as found on PATH
    installing   put in place and removed, whole or not at all
    outcomes     what came of the last run, and who is told of it
    pings        the address that is asked after each success
    execution    one run, under the lock
    serving      the scheduler in the foreground
"""
