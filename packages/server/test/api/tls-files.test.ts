import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { certificate, putCertificate } from '../support/certificates.ts'
import { ConfigError } from '../../src/compose/config/config-error.ts'
import { isSelfSigned, TlsFiles, type TlsPlaces } from '../../src/compose/tls-files.ts'

function prepare(t: TestContext) {
  const directory = mkdtempSync(join(tmpdir(), 'zund-tls-'))
  t.after(() => rmSync(directory, { recursive: true }))
  const said: string[] = []
  const note = (_: unknown, text: string): void => void said.push(text)
  const log = { debug: note, info: note, warn: note, error: note }
  const places: TlsPlaces = {
    group: 'ssl',
    ...putCertificate('one', directory),
    ca: null,
    minVersion: 'TLSv1.2',
    ciphers: null,
  }
  return { directory, places, log, said }
}

test('what cannot be served is one line at the start', (t) => {
  const { places, log } = prepare(t)
  const refused = (changed: Partial<TlsPlaces>, words: RegExp): void => {
    assert.throws(
      () => new TlsFiles({ ...places, ...changed }, log),
      (error) => error instanceof ConfigError && words.test(error.message),
    )
  }
  refused({ key: `${places.key}.none` }, /of \[ssl\] cannot be used: ENOENT/)
  refused({ cert: places.key }, /cannot be used/)
  refused({ ciphers: 'NO-SUCH' }, /cannot be used/)
  writeFileSync(places.key, certificate('two').key)
  refused({}, /key values mismatch/)
})

test('files that do not fit each other leave the last good ones in force', (t) => {
  const { places, log, said, directory } = prepare(t)
  const files = new TlsFiles(places, log)
  const applied: unknown[] = []
  files.onChange(({ cert }) => applied.push(cert))
  writeFileSync(places.cert, certificate('two').cert)
  files.reload()
  assert.deepEqual(files.current.cert, certificate('one').cert)
  assert.deepEqual(applied, [])
  putCertificate('two', directory)
  files.reload()
  assert.deepEqual(files.current.cert, certificate('two').cert)
  assert.deepEqual(applied, [certificate('two').cert])
  assert.deepEqual(said, [
    'a new certificate cannot be used; the last good one stays',
    'the certificate was read again',
  ])
})

test('an authority of clients means that they must show a certificate', (t) => {
  const { places, log } = prepare(t)
  const { requestCert, rejectUnauthorized } = new TlsFiles({ ...places, ca: places.cert }, log).current
  assert.deepEqual([requestCert, rejectUnauthorized], [true, true])
  assert.equal(isSelfSigned(places.cert), true)
})
