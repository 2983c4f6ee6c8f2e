import assert from 'node:assert/strict'
import { test } from 'node:test'
import { osloLine } from './log-line.ts'

test('an entry is one line, with level, ids of the request, fields and trouble', () => {
  const entry = { level: 50, time: '2026-01-02T03:04:05.006Z', pid: 7, requestId: 'req-1', globalRequestId: null }
  const line = osloLine(
    JSON.stringify({ ...entry, method: 'GET', n: [1], err: { stack: 'Error: x\n    at y' }, msg: 'failed' }),
  )
  assert.match(
    line,
    /^2026-01-0\d \d\d:\d\d:05\.006 7 ERROR zund \[None req-1 - - - - - -\] failed method=GET n=\[1\]: Error: x \| at y\n$/,
  )
  assert.match(
    osloLine(JSON.stringify({ ...entry, requestId: undefined, level: 40, msg: 'a\nb' })),
    /WARNING zund \[-\] a \| b\n$/,
  )
})

test('the ids of a request stand where parsers of oslo.log look for them', () => {
  const ids = { requestId: 'req-2', globalRequestId: 'req-1', userId: 'u', projectId: 'p' }
  const line = osloLine(JSON.stringify({ level: 30, time: '2026-01-02T03:04:05.006Z', pid: 7, ...ids, msg: 'done' }))
  assert.match(line, / 7 INFO zund \[req-1 req-2 u p - - - -\] done\n$/)
  const scope = { domainId: 'd', systemScope: 'all', userDomainId: 'ud', projectDomainId: 'pd' }
  const of = (more: object): string =>
    osloLine(JSON.stringify({ level: 30, time: '2026-01-02T03:04:05.006Z', pid: 7, ...more, msg: 'done' }))
  assert.match(of({ ...ids, ...scope }), / \[req-1 req-2 u p d all ud pd\] done\n$/)
  // Of no request, but somebody's.
  assert.match(of({ userId: 'u', projectId: 'p' }), / \[None None u p - - - -\] done\n$/)
})
