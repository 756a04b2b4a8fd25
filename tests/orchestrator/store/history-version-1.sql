PRAGMA user_version = 1;
BEGIN TRANSACTION;
CREATE TABLE cache (
    key TEXT PRIMARY KEY, task TEXT NOT NULL, version TEXT NOT NULL, arguments TEXT,
    result TEXT NOT NULL, files TEXT NOT NULL, created_at TEXT NOT NULL, expires_at TEXT,
    last_used_at TEXT NOT NULL, run_id TEXT NOT NULL
);
INSERT INTO "cache" VALUES('extract/1/9d8f5853eda74ebb187fda5accdd06df1c5f97424ffe840e69cab77582636202','extract','1','{"month": 1}','{"month":1}','[]','2026-11-22T12:59:11.219550+00:00','2026-11-23T12:59:11.219550+00:00','2026-11-22T12:59:11.223185+00:00','e351c9bf0046fbb5bd5fdeb6dcab44d0');
CREATE TABLE logs (
    run_id TEXT NOT NULL, task_run_id TEXT, at TEXT NOT NULL, level TEXT NOT NULL,
    logger TEXT NOT NULL, message TEXT NOT NULL
);
INSERT INTO "logs" VALUES('5a275f5a0c8a66d3c929273cd4d496fb',NULL,'2026-11-22T12:59:11.216020+00:00','INFO','taxietl.engine','Created flow run ''year'' for flow ''year''');
INSERT INTO "logs" VALUES('5a275f5a0c8a66d3c929273cd4d496fb',NULL,'2026-11-22T12:59:11.218097+00:00','INFO','taxietl.flow_runs','Created subflow run ''month-1'' for flow ''one''');
INSERT INTO "logs" VALUES('e351c9bf0046fbb5bd5fdeb6dcab44d0',NULL,'2026-11-22T12:59:11.218781+00:00','INFO','taxietl.flow_runs','Created task run ''extract-0'' for task ''extract''');
INSERT INTO "logs" VALUES('e351c9bf0046fbb5bd5fdeb6dcab44d0',NULL,'2026-11-22T12:59:11.218781+00:00','INFO','taxietl.flow_runs','Executing ''extract-0'' immediately...');
INSERT INTO "logs" VALUES('e351c9bf0046fbb5bd5fdeb6dcab44d0','67cc38d3084e6114','2026-11-22T12:59:11.219550+00:00','INFO','taxietl.task_runs','Finished in state Completed()');
INSERT INTO "logs" VALUES('e351c9bf0046fbb5bd5fdeb6dcab44d0',NULL,'2026-11-22T12:59:11.219955+00:00','INFO','taxietl.flow_runs','Created task run ''load-0'' for task ''load''');
INSERT INTO "logs" VALUES('e351c9bf0046fbb5bd5fdeb6dcab44d0',NULL,'2026-11-22T12:59:11.219955+00:00','INFO','taxietl.flow_runs','Executing ''load-0'' immediately...');
INSERT INTO "logs" VALUES('e351c9bf0046fbb5bd5fdeb6dcab44d0',NULL,'2026-11-22T12:59:11.220133+00:00','INFO','taxietl.flow_runs','Created task run ''numbers-0'' for task ''numbers''');
INSERT INTO "logs" VALUES('e351c9bf0046fbb5bd5fdeb6dcab44d0',NULL,'2026-11-22T12:59:11.220133+00:00','INFO','taxietl.flow_runs','Executing ''numbers-0'' immediately...');
INSERT INTO "logs" VALUES('e351c9bf0046fbb5bd5fdeb6dcab44d0','0e5cf48d9d606a68','2026-11-22T12:59:11.220366+00:00','INFO','taxietl.task_runs','Finished in state Completed()');
INSERT INTO "logs" VALUES('e351c9bf0046fbb5bd5fdeb6dcab44d0','72aab8ce640a368c','2026-11-22T12:59:11.220479+00:00','INFO','taxietl.task_runs','Finished in state Completed()');
INSERT INTO "logs" VALUES('e351c9bf0046fbb5bd5fdeb6dcab44d0',NULL,'2026-11-22T12:59:11.220581+00:00','INFO','taxietl.flow_runs','Finished in state Completed()');
INSERT INTO "logs" VALUES('5a275f5a0c8a66d3c929273cd4d496fb',NULL,'2026-11-22T12:59:11.220703+00:00','INFO','taxietl.flow_runs','Finished in state Completed()');
INSERT INTO "logs" VALUES('c054fa6914497577c267762c6348a370',NULL,'2026-11-22T12:59:11.222025+00:00','INFO','taxietl.engine','Created flow run ''year-2'' for flow ''year''');
INSERT INTO "logs" VALUES('c054fa6914497577c267762c6348a370',NULL,'2026-11-22T12:59:11.222680+00:00','INFO','taxietl.flow_runs','Created subflow run ''month-1-2'' for flow ''one''');
INSERT INTO "logs" VALUES('c702ae209e856471eff72e2c2261e43e',NULL,'2026-11-22T12:59:11.223021+00:00','INFO','taxietl.flow_runs','Created task run ''extract-0'' for task ''extract''');
INSERT INTO "logs" VALUES('c702ae209e856471eff72e2c2261e43e',NULL,'2026-11-22T12:59:11.223021+00:00','INFO','taxietl.flow_runs','Executing ''extract-0'' immediately...');
INSERT INTO "logs" VALUES('c702ae209e856471eff72e2c2261e43e','fab9b4d9054ec885','2026-11-22T12:59:11.223185+00:00','INFO','taxietl.task_runs','Finished in state Cached(type=COMPLETED)');
INSERT INTO "logs" VALUES('c702ae209e856471eff72e2c2261e43e',NULL,'2026-11-22T12:59:11.223365+00:00','INFO','taxietl.flow_runs','Created task run ''load-0'' for task ''load''');
INSERT INTO "logs" VALUES('c702ae209e856471eff72e2c2261e43e',NULL,'2026-11-22T12:59:11.223365+00:00','INFO','taxietl.flow_runs','Executing ''load-0'' immediately...');
INSERT INTO "logs" VALUES('c702ae209e856471eff72e2c2261e43e',NULL,'2026-11-22T12:59:11.223523+00:00','INFO','taxietl.flow_runs','Created task run ''numbers-0'' for task ''numbers''');
INSERT INTO "logs" VALUES('c702ae209e856471eff72e2c2261e43e',NULL,'2026-11-22T12:59:11.223523+00:00','INFO','taxietl.flow_runs','Executing ''numbers-0'' immediately...');
INSERT INTO "logs" VALUES('c702ae209e856471eff72e2c2261e43e','f2c6efee80ea7a62','2026-11-22T12:59:11.223627+00:00','INFO','taxietl.task_runs','Finished in state Completed()');
INSERT INTO "logs" VALUES('c702ae209e856471eff72e2c2261e43e','6445fdfe27924728','2026-11-22T12:59:11.223710+00:00','INFO','taxietl.task_runs','Finished in state Completed()');
INSERT INTO "logs" VALUES('c702ae209e856471eff72e2c2261e43e',NULL,'2026-11-22T12:59:11.223822+00:00','INFO','taxietl.flow_runs','Finished in state Completed()');
INSERT INTO "logs" VALUES('c054fa6914497577c267762c6348a370',NULL,'2026-11-22T12:59:11.223967+00:00','INFO','taxietl.flow_runs','Created subflow run ''month-2'' for flow ''one''');
INSERT INTO "logs" VALUES('1691c6796eb12dd492050b3f97941a5b',NULL,'2026-11-22T12:59:11.224482+00:00','ERROR','taxietl.flow_runs','Encountered exception during execution: ValueError: month 2 fails
Traceback (most recent call last):
  File "/opt/src/taxietl/orchestrator/engine.py", line 217, in _execute
    value = interruptible(flow.function, *parameters.args, **parameters.kwargs)
            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  File "/opt/src/taxietl/orchestrator/cancellation.py", line 23, in interruptible
    return function(*args, **kwargs)
           ^^^^^^^^^^^^^^^^^^^^^^^^^
  File "/home/me/flows.py", line 20, in one
    if month == 2: raise ValueError("month 2 fails")
                   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
ValueError: month 2 fails');
INSERT INTO "logs" VALUES('1691c6796eb12dd492050b3f97941a5b',NULL,'2026-11-22T12:59:11.224482+00:00','ERROR','taxietl.flow_runs','Finished in state Failed(''Flow run encountered an exception: ValueError: month 2 fails'')');
INSERT INTO "logs" VALUES('c054fa6914497577c267762c6348a370',NULL,'2026-11-22T12:59:11.225092+00:00','ERROR','taxietl.flow_runs','Encountered exception during execution: ValueError: month 2 fails
Traceback (most recent call last):
  File "/opt/src/taxietl/orchestrator/engine.py", line 217, in _execute
    value = interruptible(flow.function, *parameters.args, **parameters.kwargs)
            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  File "/opt/src/taxietl/orchestrator/cancellation.py", line 23, in interruptible
    return function(*args, **kwargs)
           ^^^^^^^^^^^^^^^^^^^^^^^^^
  File "/home/me/flows.py", line 24, in year
    return [one(m) for m in months]
           ^^^^^^^^^^^^^^^^^^^^^^^^
  File "/home/me/flows.py", line 24, in <listcomp>
    return [one(m) for m in months]
            ^^^^^^
  File "/opt/src/taxietl/orchestrator/flows.py", line 43, in __call__
    return run.engine.run_subflow(self, current, args, kwargs).result()
           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  File "/opt/src/taxietl/orchestrator/engine.py", line 61, in result
    raise self._error
  File "/opt/src/taxietl/orchestrator/engine.py", line 217, in _execute
    value = interruptible(flow.function, *parameters.args, **parameters.kwargs)
            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  File "/opt/src/taxietl/orchestrator/cancellation.py", line 23, in interruptible
    return function(*args, **kwargs)
           ^^^^^^^^^^^^^^^^^^^^^^^^^
  File "/home/me/flows.py", line 20, in one
    if month == 2: raise ValueError("month 2 fails")
                   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
ValueError: month 2 fails');
INSERT INTO "logs" VALUES('c054fa6914497577c267762c6348a370',NULL,'2026-11-22T12:59:11.225092+00:00','ERROR','taxietl.flow_runs','Finished in state Failed(''Flow run encountered an exception: ValueError: month 2 fails'')');
CREATE TABLE runs (
    id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, flow TEXT NOT NULL,
    parent_id TEXT, parent_task_run_id TEXT, root_id TEXT NOT NULL, parameters TEXT NOT NULL,
    state TEXT NOT NULL, state_type TEXT NOT NULL, message TEXT NOT NULL, state_at TEXT NOT NULL,
    created_at TEXT NOT NULL, started_at TEXT, ended_at TEXT,
    host TEXT NOT NULL, pid INTEGER NOT NULL, process_start TEXT, version TEXT NOT NULL
);
INSERT INTO "runs" VALUES('5a275f5a0c8a66d3c929273cd4d496fb','year','year',NULL,NULL,'5a275f5a0c8a66d3c929273cd4d496fb','{"months": [1]}','Completed','COMPLETED','','2026-11-22T12:59:11.220694+00:00','2026-11-22T12:59:11.216020+00:00','2026-11-22T12:59:11.217045+00:00','2026-11-22T12:59:11.220694+00:00','a-host',29075,'2026-11-22T12:59:10.995629+00:00','0.1.0');
INSERT INTO "runs" VALUES('e351c9bf0046fbb5bd5fdeb6dcab44d0','month-1','one','5a275f5a0c8a66d3c929273cd4d496fb','b6f8cc929f7ee8a6','5a275f5a0c8a66d3c929273cd4d496fb','{"month": 1}','Completed','COMPLETED','','2026-11-22T12:59:11.220554+00:00','2026-11-22T12:59:11.218097+00:00','2026-11-22T12:59:11.218459+00:00','2026-11-22T12:59:11.220554+00:00','a-host',29075,'2026-11-22T12:59:10.995627+00:00','0.1.0');
INSERT INTO "runs" VALUES('c054fa6914497577c267762c6348a370','year-2','year',NULL,NULL,'c054fa6914497577c267762c6348a370','{"months": [1, 2]}','Failed','FAILED','Flow run encountered an exception: ValueError: month 2 fails','2026-11-22T12:59:11.225080+00:00','2026-11-22T12:59:11.222025+00:00','2026-11-22T12:59:11.222513+00:00','2026-11-22T12:59:11.225080+00:00','a-host',29075,'2026-11-22T12:59:10.995627+00:00','0.1.0');
INSERT INTO "runs" VALUES('c702ae209e856471eff72e2c2261e43e','month-1-2','one','c054fa6914497577c267762c6348a370','32669aedc3caeb5c','c054fa6914497577c267762c6348a370','{"month": 1}','Completed','COMPLETED','','2026-11-22T12:59:11.223782+00:00','2026-11-22T12:59:11.222680+00:00','2026-11-22T12:59:11.222904+00:00','2026-11-22T12:59:11.223782+00:00','a-host',29075,'2026-11-22T12:59:10.995626+00:00','0.1.0');
INSERT INTO "runs" VALUES('1691c6796eb12dd492050b3f97941a5b','month-2','one','c054fa6914497577c267762c6348a370','6e27c5489833a0de','c054fa6914497577c267762c6348a370','{"month": 2}','Failed','FAILED','Flow run encountered an exception: ValueError: month 2 fails','2026-11-22T12:59:11.224272+00:00','2026-11-22T12:59:11.223967+00:00','2026-11-22T12:59:11.224188+00:00','2026-11-22T12:59:11.224272+00:00','a-host',29075,'2026-11-22T12:59:10.995626+00:00','0.1.0');
CREATE TABLE states (
    run_id TEXT NOT NULL, task_run_id TEXT, name TEXT NOT NULL, type TEXT NOT NULL,
    message TEXT NOT NULL, at TEXT NOT NULL, attempt INTEGER, scheduled_for TEXT
);
INSERT INTO "states" VALUES('5a275f5a0c8a66d3c929273cd4d496fb',NULL,'Pending','PENDING','','2026-11-22T12:59:11.216020+00:00',NULL,NULL);
INSERT INTO "states" VALUES('5a275f5a0c8a66d3c929273cd4d496fb',NULL,'Running','RUNNING','','2026-11-22T12:59:11.217045+00:00',NULL,NULL);
INSERT INTO "states" VALUES('e351c9bf0046fbb5bd5fdeb6dcab44d0',NULL,'Pending','PENDING','','2026-11-22T12:59:11.218097+00:00',NULL,NULL);
INSERT INTO "states" VALUES('5a275f5a0c8a66d3c929273cd4d496fb','b6f8cc929f7ee8a6','Pending','PENDING','','2026-11-22T12:59:11.218097+00:00',NULL,NULL);
INSERT INTO "states" VALUES('e351c9bf0046fbb5bd5fdeb6dcab44d0',NULL,'Running','RUNNING','','2026-11-22T12:59:11.218459+00:00',NULL,NULL);
INSERT INTO "states" VALUES('5a275f5a0c8a66d3c929273cd4d496fb','b6f8cc929f7ee8a6','Running','RUNNING','','2026-11-22T12:59:11.218459+00:00',1,NULL);
INSERT INTO "states" VALUES('e351c9bf0046fbb5bd5fdeb6dcab44d0','67cc38d3084e6114','Pending','PENDING','','2026-11-22T12:59:11.218781+00:00',NULL,NULL);
INSERT INTO "states" VALUES('e351c9bf0046fbb5bd5fdeb6dcab44d0','67cc38d3084e6114','Running','RUNNING','Cache miss: nothing is kept under its key.','2026-11-22T12:59:11.219059+00:00',1,NULL);
INSERT INTO "states" VALUES('e351c9bf0046fbb5bd5fdeb6dcab44d0','67cc38d3084e6114','Completed','COMPLETED','','2026-11-22T12:59:11.219550+00:00',1,NULL);
INSERT INTO "states" VALUES('e351c9bf0046fbb5bd5fdeb6dcab44d0','72aab8ce640a368c','Pending','PENDING','','2026-11-22T12:59:11.219955+00:00',NULL,NULL);
INSERT INTO "states" VALUES('e351c9bf0046fbb5bd5fdeb6dcab44d0','72aab8ce640a368c','Running','RUNNING','','2026-11-22T12:59:11.220082+00:00',1,NULL);
INSERT INTO "states" VALUES('e351c9bf0046fbb5bd5fdeb6dcab44d0','0e5cf48d9d606a68','Running','RUNNING','','2026-11-22T12:59:11.220133+00:00',1,NULL);
INSERT INTO "states" VALUES('e351c9bf0046fbb5bd5fdeb6dcab44d0','0e5cf48d9d606a68','Completed','COMPLETED','','2026-11-22T12:59:11.220366+00:00',1,NULL);
INSERT INTO "states" VALUES('e351c9bf0046fbb5bd5fdeb6dcab44d0','72aab8ce640a368c','Completed','COMPLETED','','2026-11-22T12:59:11.220479+00:00',1,NULL);
INSERT INTO "states" VALUES('e351c9bf0046fbb5bd5fdeb6dcab44d0',NULL,'Completed','COMPLETED','','2026-11-22T12:59:11.220554+00:00',NULL,NULL);
INSERT INTO "states" VALUES('5a275f5a0c8a66d3c929273cd4d496fb','b6f8cc929f7ee8a6','Completed','COMPLETED','','2026-11-22T12:59:11.220554+00:00',1,NULL);
INSERT INTO "states" VALUES('5a275f5a0c8a66d3c929273cd4d496fb',NULL,'Completed','COMPLETED','','2026-11-22T12:59:11.220694+00:00',NULL,NULL);
INSERT INTO "states" VALUES('c054fa6914497577c267762c6348a370',NULL,'Pending','PENDING','','2026-11-22T12:59:11.222025+00:00',NULL,NULL);
INSERT INTO "states" VALUES('c054fa6914497577c267762c6348a370',NULL,'Running','RUNNING','','2026-11-22T12:59:11.222513+00:00',NULL,NULL);
INSERT INTO "states" VALUES('c702ae209e856471eff72e2c2261e43e',NULL,'Pending','PENDING','','2026-11-22T12:59:11.222680+00:00',NULL,NULL);
INSERT INTO "states" VALUES('c054fa6914497577c267762c6348a370','32669aedc3caeb5c','Pending','PENDING','','2026-11-22T12:59:11.222680+00:00',NULL,NULL);
INSERT INTO "states" VALUES('c702ae209e856471eff72e2c2261e43e',NULL,'Running','RUNNING','','2026-11-22T12:59:11.222904+00:00',NULL,NULL);
INSERT INTO "states" VALUES('c054fa6914497577c267762c6348a370','32669aedc3caeb5c','Running','RUNNING','','2026-11-22T12:59:11.222904+00:00',1,NULL);
INSERT INTO "states" VALUES('c702ae209e856471eff72e2c2261e43e','fab9b4d9054ec885','Pending','PENDING','','2026-11-22T12:59:11.223021+00:00',NULL,NULL);
INSERT INTO "states" VALUES('c702ae209e856471eff72e2c2261e43e','fab9b4d9054ec885','Cached','COMPLETED','','2026-11-22T12:59:11.223185+00:00',0,NULL);
INSERT INTO "states" VALUES('c702ae209e856471eff72e2c2261e43e','6445fdfe27924728','Pending','PENDING','','2026-11-22T12:59:11.223365+00:00',NULL,NULL);
INSERT INTO "states" VALUES('c702ae209e856471eff72e2c2261e43e','6445fdfe27924728','Running','RUNNING','','2026-11-22T12:59:11.223476+00:00',1,NULL);
INSERT INTO "states" VALUES('c702ae209e856471eff72e2c2261e43e','f2c6efee80ea7a62','Running','RUNNING','','2026-11-22T12:59:11.223523+00:00',1,NULL);
INSERT INTO "states" VALUES('c702ae209e856471eff72e2c2261e43e','f2c6efee80ea7a62','Completed','COMPLETED','','2026-11-22T12:59:11.223627+00:00',1,NULL);
INSERT INTO "states" VALUES('c702ae209e856471eff72e2c2261e43e','6445fdfe27924728','Completed','COMPLETED','','2026-11-22T12:59:11.223710+00:00',1,NULL);
INSERT INTO "states" VALUES('c702ae209e856471eff72e2c2261e43e',NULL,'Completed','COMPLETED','','2026-11-22T12:59:11.223782+00:00',NULL,NULL);
INSERT INTO "states" VALUES('c054fa6914497577c267762c6348a370','32669aedc3caeb5c','Completed','COMPLETED','','2026-11-22T12:59:11.223782+00:00',1,NULL);
INSERT INTO "states" VALUES('1691c6796eb12dd492050b3f97941a5b',NULL,'Pending','PENDING','','2026-11-22T12:59:11.223967+00:00',NULL,NULL);
INSERT INTO "states" VALUES('c054fa6914497577c267762c6348a370','6e27c5489833a0de','Pending','PENDING','','2026-11-22T12:59:11.223967+00:00',NULL,NULL);
INSERT INTO "states" VALUES('1691c6796eb12dd492050b3f97941a5b',NULL,'Running','RUNNING','','2026-11-22T12:59:11.224188+00:00',NULL,NULL);
INSERT INTO "states" VALUES('c054fa6914497577c267762c6348a370','6e27c5489833a0de','Running','RUNNING','','2026-11-22T12:59:11.224188+00:00',1,NULL);
INSERT INTO "states" VALUES('1691c6796eb12dd492050b3f97941a5b',NULL,'Failed','FAILED','Flow run encountered an exception: ValueError: month 2 fails','2026-11-22T12:59:11.224272+00:00',NULL,NULL);
INSERT INTO "states" VALUES('c054fa6914497577c267762c6348a370','6e27c5489833a0de','Failed','FAILED','Flow run encountered an exception: ValueError: month 2 fails','2026-11-22T12:59:11.224272+00:00',1,NULL);
INSERT INTO "states" VALUES('c054fa6914497577c267762c6348a370',NULL,'Failed','FAILED','Flow run encountered an exception: ValueError: month 2 fails','2026-11-22T12:59:11.225080+00:00',NULL,NULL);
CREATE TABLE task_runs (
    id TEXT PRIMARY KEY, run_id TEXT NOT NULL, task TEXT NOT NULL, name TEXT NOT NULL,
    ordinal INTEGER NOT NULL, kind TEXT NOT NULL, version TEXT NOT NULL, tags TEXT NOT NULL,
    child_run_id TEXT,
    state TEXT NOT NULL, state_type TEXT NOT NULL, message TEXT NOT NULL, state_at TEXT NOT NULL,
    attempts INTEGER NOT NULL, cache_key TEXT, arguments TEXT, result TEXT, stored TEXT,
    counts TEXT, created_at TEXT NOT NULL, started_at TEXT, ended_at TEXT
);
INSERT INTO "task_runs" VALUES('b6f8cc929f7ee8a6','5a275f5a0c8a66d3c929273cd4d496fb','one','one-0',0,'subflow','','[]','e351c9bf0046fbb5bd5fdeb6dcab44d0','Completed','COMPLETED','','2026-11-22T12:59:11.220554+00:00',1,NULL,'{"month": 1}','0','stored',NULL,'2026-11-22T12:59:11.218097+00:00','2026-11-22T12:59:11.218459+00:00','2026-11-22T12:59:11.220554+00:00');
INSERT INTO "task_runs" VALUES('67cc38d3084e6114','e351c9bf0046fbb5bd5fdeb6dcab44d0','extract','extract-0',0,'task','1','[]',NULL,'Completed','COMPLETED','','2026-11-22T12:59:11.219550+00:00',1,'extract/1/9d8f5853eda74ebb187fda5accdd06df1c5f97424ffe840e69cab77582636202','{"month": 1}','{"month":1}','stored',NULL,'2026-11-22T12:59:11.218781+00:00','2026-11-22T12:59:11.219059+00:00','2026-11-22T12:59:11.219550+00:00');
INSERT INTO "task_runs" VALUES('72aab8ce640a368c','e351c9bf0046fbb5bd5fdeb6dcab44d0','load','load-0',0,'task','','["warehouse"]',NULL,'Completed','COMPLETED','','2026-11-22T12:59:11.220479+00:00',1,NULL,'{"stream": "<Stream>"}','0','stored',NULL,'2026-11-22T12:59:11.219955+00:00','2026-11-22T12:59:11.220082+00:00','2026-11-22T12:59:11.220479+00:00');
INSERT INTO "task_runs" VALUES('0e5cf48d9d606a68','e351c9bf0046fbb5bd5fdeb6dcab44d0','numbers','numbers-0',0,'stream','','[]',NULL,'Completed','COMPLETED','','2026-11-22T12:59:11.220366+00:00',1,NULL,'{"n": 1}','1','stored','{"items": 1}','2026-11-22T12:59:11.220133+00:00','2026-11-22T12:59:11.220133+00:00','2026-11-22T12:59:11.220366+00:00');
INSERT INTO "task_runs" VALUES('32669aedc3caeb5c','c054fa6914497577c267762c6348a370','one','one-0',0,'subflow','','[]','c702ae209e856471eff72e2c2261e43e','Completed','COMPLETED','','2026-11-22T12:59:11.223782+00:00',1,NULL,'{"month": 1}','0','stored',NULL,'2026-11-22T12:59:11.222680+00:00','2026-11-22T12:59:11.222904+00:00','2026-11-22T12:59:11.223782+00:00');
INSERT INTO "task_runs" VALUES('fab9b4d9054ec885','c702ae209e856471eff72e2c2261e43e','extract','extract-0',0,'task','1','[]',NULL,'Cached','COMPLETED','','2026-11-22T12:59:11.223185+00:00',0,'extract/1/9d8f5853eda74ebb187fda5accdd06df1c5f97424ffe840e69cab77582636202','{"month": 1}','{"month":1}','stored',NULL,'2026-11-22T12:59:11.223021+00:00','2026-11-22T12:59:11.223185+00:00','2026-11-22T12:59:11.223185+00:00');
INSERT INTO "task_runs" VALUES('6445fdfe27924728','c702ae209e856471eff72e2c2261e43e','load','load-0',0,'task','','["warehouse"]',NULL,'Completed','COMPLETED','','2026-11-22T12:59:11.223710+00:00',1,NULL,'{"stream": "<Stream>"}','0','stored',NULL,'2026-11-22T12:59:11.223365+00:00','2026-11-22T12:59:11.223476+00:00','2026-11-22T12:59:11.223710+00:00');
INSERT INTO "task_runs" VALUES('f2c6efee80ea7a62','c702ae209e856471eff72e2c2261e43e','numbers','numbers-0',0,'stream','','[]',NULL,'Completed','COMPLETED','','2026-11-22T12:59:11.223627+00:00',1,NULL,'{"n": 1}','1','stored','{"items": 1}','2026-11-22T12:59:11.223523+00:00','2026-11-22T12:59:11.223523+00:00','2026-11-22T12:59:11.223627+00:00');
INSERT INTO "task_runs" VALUES('6e27c5489833a0de','c054fa6914497577c267762c6348a370','one','one-1',1,'subflow','','[]','1691c6796eb12dd492050b3f97941a5b','Failed','FAILED','Flow run encountered an exception: ValueError: month 2 fails','2026-11-22T12:59:11.224272+00:00',1,NULL,'{"month": 2}',NULL,'not stored',NULL,'2026-11-22T12:59:11.223967+00:00','2026-11-22T12:59:11.224188+00:00','2026-11-22T12:59:11.224272+00:00');
CREATE INDEX runs_by_root ON runs (root_id);
CREATE INDEX runs_by_parent ON runs (parent_id);
CREATE INDEX runs_by_time ON runs (created_at);
CREATE INDEX open_runs ON runs (root_id)
    WHERE state_type IN ('SCHEDULED', 'PENDING', 'RUNNING');
CREATE INDEX task_runs_by_run ON task_runs (run_id);
CREATE INDEX states_by_run ON states (run_id);
CREATE INDEX logs_by_run ON logs (run_id);
COMMIT;
