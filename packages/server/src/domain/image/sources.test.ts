import assert from 'node:assert/strict'
import { test } from 'node:test'
import { imageSources, isByDigest } from './sources.ts'

const NONE = { registryDomain: null, defaultRegistry: null }
const DIGEST = `sha256:${'a'.repeat(64)}`

test('all spellings of an image of the public registry are one image', () => {
  const spellings = [
    'nginx',
    'nginx:latest',
    'library/nginx',
    'docker.io/nginx',
    'index.docker.io/library/nginx:latest',
  ]
  for (const text of [...spellings, 'DOCKER.io/nginx']) {
    const remote = imageSources(text, 'p', NONE)?.remote
    assert.deepEqual(
      remote,
      {
        domain: 'docker.io',
        path: 'library/nginx',
        version: 'latest',
        repository: 'docker.io/library/nginx',
        reference: 'nginx:latest',
      },
      text,
    )
  }
  assert.equal(imageSources('docker.io/u/x:1', 'p', NONE)?.remote?.reference, 'u/x:1')
})

test('the name given to the engine never means something else to it than to us', () => {
  const rows: readonly [string, string][] = [
    // Without its domain this would be looked up as the id of an image.
    ['sha256:abcdef123456', 'docker.io/library/sha256:abcdef123456'],
    // Without its domain this would be a registry of that name.
    ['docker.io/a.b/x', 'docker.io/a.b/x:latest'],
    ['docker.io/localhost/x', 'docker.io/localhost/x:latest'],
    ['Registry.Example:5000/x', 'registry.example:5000/x:latest'],
    [`r.example/x:1@${DIGEST}`, `r.example/x@${DIGEST}`],
  ]
  for (const [text, reference] of rows) assert.equal(imageSources(text, 'p', NONE)?.remote?.reference, reference)
})

test('a short name may be a snapshot of the project, and gets the domain of the registry that was named', () => {
  const sources = imageSources('team/app', 'P1', { registryDomain: 'r.example', defaultRegistry: 'd.example' })
  assert.equal(sources?.snapshot, 'zund.local/p1/team/app:latest')
  assert.equal(sources.remote?.reference, 'r.example/team/app:latest')
  const byDefault = imageSources('app:2', 'p1', { registryDomain: null, defaultRegistry: 'd.example/mirror' })
  assert.equal(byDefault?.remote?.reference, 'd.example/mirror/app:2')
  assert.equal(byDefault.remote.domain, 'd.example')
  const whole = imageSources('r.example/app', 'p1', { registryDomain: 'other.example', defaultRegistry: null })
  assert.deepEqual([whole?.snapshot, whole?.remote?.domain], [null, 'r.example'])
})

test("only the project's own snapshots can be named in full, and nothing of theirs is looked for in a registry", () => {
  const nothing = { snapshot: null, remote: null }
  assert.deepEqual(imageSources('zund.local/p1/x:1', 'p1', NONE), { snapshot: 'zund.local/p1/x:1', remote: null })
  for (const text of [
    'zund.local/p2/x',
    'zund.local/p11/x',
    'zund.local/x',
    'zund.local:443/p2/x',
    'Zund.Local/p2/x',
  ]) {
    assert.deepEqual(imageSources(text, 'p1', NONE), nothing, text)
  }
  for (const registryDomain of ['zund.local', 'zund.local/p2', 'ZUND.local:1']) {
    assert.equal(imageSources('p2/x', 'p1', { registryDomain, defaultRegistry: null })?.remote, null)
    assert.equal(imageSources('p2/x', 'p1', { registryDomain, defaultRegistry: null })?.snapshot, null)
  }
})

test('by digest is by digest', () => {
  const of = (text: string) => imageSources(text, 'p', NONE)
  assert.equal(isByDigest(of(`nginx@${DIGEST}`)?.remote ?? assert.fail()), true)
  assert.equal(isByDigest(of('nginx:1')?.remote ?? assert.fail()), false)
  assert.equal(of(`nginx@${DIGEST}`)?.snapshot, null)
  assert.equal(of('Not An Image'), undefined)
})
