import assert from 'node:assert/strict'
import { test } from 'node:test'
import { logLevel, programLogFile } from './logger.ts'

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
