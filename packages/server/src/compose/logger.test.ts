import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { onBehalfOf, onBehalfOfNobody } from '../lib/log-ids.ts'
import { logLevel, openLog, programLogFile } from './logger.ts'

test('the level of this program wins over debug, in the names of Python, and levels of others do not count', () => {
  const of = (debug: boolean, ...defaultLogLevels: string[]) => logLevel({ debug, defaultLogLevels })
  assert.equal(of(false), 'info')
  assert.equal(of(true), 'debug')
  assert.equal(of(true, 'amqp=WARN', 'zund=WARNING'), 'warn')
  assert.equal(of(false, 'zund=DEBUG', 'zund=CRITICAL'), 'error')
  assert.equal(of(false, 'sqlalchemy=ERROR', 'zund=LOUD'), 'info')
})

test('a program logs to a file of its own name, or to the one that is named, or to standard error', () => {
  const of = (logDir: string | null, logFile: string | null) => programLogFile({ logDir, logFile }, 'zun-api')
  assert.equal(of(null, null), null)
  assert.equal(of('/var/log/zun', null), '/var/log/zun/zun-api.log')
  assert.equal(of('/var/log/zun', 'one.log'), '/var/log/zun/one.log')
  assert.equal(of('/var/log/zun', '/elsewhere/one.log'), '/elsewhere/one.log')
})

test('an entry has the ids of what it was written for, whoever wrote it', async (t) => {
  const file = join(mkdtempSync(join(tmpdir(), 'zund-log-')), 'log')
  t.after(() => rmSync(dirname(file), { recursive: true }))
  const { log } = openLog(file, { level: 'info', json: true })
  const shared = async (text: string): Promise<void> => {
    await setImmediate()
    log.info({}, text)
  }
  const late = { requestId: 'req-2', userId: '' }
  const forAll = onBehalfOf({ requestId: 'req-1', projectId: 'p' }, () => onBehalfOfNobody(() => shared('for all')))
  await Promise.all([
    onBehalfOf({ requestId: 'req-1', projectId: 'p' }, () => shared('first')),
    onBehalfOf(late, async () => {
      late.userId = 'u'
      await shared('second')
      log.info({ requestId: 'req-3' }, 'of another')
    }),
    shared('nobody'),
    forAll,
  ])
  const entries = readFileSync(file, 'utf8').trim().split('\n')
  const seen = entries.map((line) => {
    const { time: _, level: __, pid: ___, msg, ...ids } = JSON.parse(line) as Record<string, unknown>
    return [msg, ids] as const
  })
  assert.deepEqual(Object.fromEntries(seen), {
    'for all': {},
    first: { requestId: 'req-1', projectId: 'p' },
    second: { requestId: 'req-2', userId: 'u' },
    'of another': { requestId: 'req-3', userId: 'u' },
    nobody: {},
  })
})
