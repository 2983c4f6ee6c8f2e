import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { SealedSecrets } from '../adapters/secrets/sealed-secrets.ts'
import { ConfigError } from './config/config-error.ts'
import { secretKeys } from './secret-keys.ts'
import { StateDir } from './state-dir.ts'

const NONE = { authEncryptionKeys: [] }
const KEYS = { authEncryptionKeys: ['first key, of the configuration, long', 'second key, of the configuration, old'] }

function stateDir(t: TestContext): { state: StateDir; file: string } {
  const directory = mkdtempSync(join(tmpdir(), 'zund-keys-'))
  t.after(() => rmSync(directory, { recursive: true }))
  const state = new StateDir(directory)
  return { state, file: state.file('secret-keys') }
}

test('the first start makes a key that only the owner can read, and the next ones use it', (t) => {
  const { state, file } = stateDir(t)
  const sealed = new SealedSecrets(secretKeys(NONE, state)).seal('secret', 'x')
  assert.equal(statSync(file).mode & 0o777, 0o600)
  const made = readFileSync(file, 'utf8')
  assert.equal(new SealedSecrets(secretKeys(NONE, state)).open(sealed, 'x'), 'secret')
  assert.equal(readFileSync(file, 'utf8'), made)
})

test('keys of the configuration go first and need no file, those of a file that is there still open', (t) => {
  const { state, file } = stateDir(t)
  const configured = new SealedSecrets(secretKeys(KEYS, state))
  assert.throws(() => statSync(file), 'a file was made')
  const [newest = '', older = ''] = KEYS.authEncryptionKeys
  const old = new SealedSecrets(secretKeys({ authEncryptionKeys: [older] }, state)).seal('old', 'x')
  assert.deepEqual([configured.open(old, 'x'), configured.isCurrent(old)], ['old', false])
  const kept = new SealedSecrets(secretKeys(NONE, state)).seal('kept', 'x')
  const both = new SealedSecrets(secretKeys({ authEncryptionKeys: [newest] }, state))
  assert.deepEqual([both.open(kept, 'x'), both.isCurrent(kept)], ['kept', false])
})

test('a file that holds something else is one line that names it, and nothing is made in its place', (t) => {
  const { state, file } = stateDir(t)
  const key = Buffer.alloc(32, 7).toString('base64')
  for (const content of [
    '',
    '\n# nothing\n',
    'short',
    `${key}\n${key.slice(4)}`,
    `${key}x?`,
    Buffer.alloc(33, 7).toString('base64'),
  ]) {
    writeFileSync(file, content)
    assert.throws(
      () => secretKeys(NONE, state),
      (error) => error instanceof ConfigError && error.message.includes(file) && !error.message.includes(key.slice(4)),
      content,
    )
    assert.equal(readFileSync(file, 'utf8'), content)
  }
  writeFileSync(file, `# of today\n${key}\n\n  ${Buffer.alloc(32, 8).toString('base64url')}  \n`)
  assert.deepEqual(secretKeys(NONE, state), [Buffer.alloc(32, 7), Buffer.alloc(32, 8)])
})
