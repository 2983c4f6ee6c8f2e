import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseImageReference, resolveImageReference } from './image/reference.ts'
import { shellWords } from './shell-words.ts'

test('command lines are split as a shell does, without expanding anything', () => {
  const rows: readonly [string, string[] | undefined][] = [
    ['ls -l', ['ls', '-l']],
    ['"nginx" "-g" "daemon off;"', ['nginx', '-g', 'daemon off;']],
    ["sh -c 'echo $HOME'", ['sh', '-c', 'echo $HOME']],
    ['a\\ b "c\\"d" \'\'', ['a b', 'c"d', '']],
    ['  ', []],
    ['"open', undefined],
    ['end\\', undefined],
  ]
  for (const [line, words] of rows) assert.deepEqual(shellWords(line), words, line)
})

test('image references follow the grammar', () => {
  const digest = `sha256:${'a'.repeat(64)}`
  assert.deepEqual(parseImageReference('nginx'), { domain: null, path: 'nginx', tag: null, digest: null })
  assert.deepEqual(parseImageReference('a.b:5000/x/y:1'), { domain: 'a.b:5000', path: 'x/y', tag: '1', digest: null })
  assert.deepEqual(parseImageReference(`localhost/x@${digest}`), { domain: 'localhost', path: 'x', tag: null, digest })
  for (const bad of ['Nginx', 'a//b', 'x:', 'x@sha256:1', '-x', 'x:ta g', '']) {
    assert.equal(parseImageReference(bad), undefined, bad)
  }
})

test('short names get the registry, `latest` stands where nothing is said, a digest stays', () => {
  const none = { registryDomain: null, defaultRegistry: null }
  assert.equal(resolveImageReference('nginx', none)?.reference, 'nginx:latest')
  assert.equal(resolveImageReference('nginx', { ...none, defaultRegistry: 'r.io' })?.reference, 'r.io/nginx:latest')
  assert.equal(
    resolveImageReference('nginx:1', { registryDomain: 'p.io:5000', defaultRegistry: 'r.io' })?.reference,
    'p.io:5000/nginx:1',
  )
  assert.equal(resolveImageReference('q.io/nginx', { registryDomain: 'p.io', defaultRegistry: null })?.domain, 'q.io')
  const digest = `sha256:${'b'.repeat(64)}`
  assert.equal(resolveImageReference(`nginx:1@${digest}`, none)?.reference, `nginx@${digest}`)
})
