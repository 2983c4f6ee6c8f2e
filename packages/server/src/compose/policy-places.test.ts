import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { policyPlaces } from './policy-places.ts'

test('the policy is looked for beside the configuration, then at home; a full path is taken as it is', (t) => {
  const root = mkdtempSync(join(tmpdir(), 'zund-places-'))
  t.after(() => rmSync(root, { recursive: true, force: true }))
  const [beside, home] = [join(root, 'conf'), join(root, 'home')]
  mkdirSync(beside)
  mkdirSync(join(home, '.zun', 'zund-rules.d'), { recursive: true })
  // Names that no machine has in /etc.
  const config = { policyFile: 'zund-rules.yaml', policyDirs: ['zund-rules.d', '/srv/rules.d'] }
  const dirs = [join(home, '.zun', 'zund-rules.d'), '/srv/rules.d']
  const where = (): object => policyPlaces(config, [beside], home)
  assert.deepEqual(where(), { file: join(beside, 'zund-rules.yaml'), dirs })
  writeFileSync(join(home, 'zund-rules.yaml'), '')
  assert.deepEqual(where(), { file: join(home, 'zund-rules.yaml'), dirs })
  writeFileSync(join(home, '.zun', 'zund-rules.yaml'), '')
  assert.deepEqual(where(), { file: join(home, '.zun', 'zund-rules.yaml'), dirs })
  writeFileSync(join(beside, 'zund-rules.yaml'), '')
  assert.deepEqual(where(), { file: join(beside, 'zund-rules.yaml'), dirs })
  const usual = { policyFile: 'policy.yaml', policyDirs: [] }
  writeFileSync(join(beside, 'policy.json'), '{}')
  assert.equal(policyPlaces(usual, [beside], home).file, join(beside, 'policy.json'))
  writeFileSync(join(home, 'policy.yaml'), '')
  assert.equal(policyPlaces(usual, [beside], home).file, join(home, 'policy.yaml'))
  assert.deepEqual(policyPlaces({ policyFile: '', policyDirs: [] }, [beside], home), { file: null, dirs: [] })
})
