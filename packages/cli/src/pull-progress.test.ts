import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Progress } from './output/progress.ts'
import { showOne } from './pull-progress.ts'

function shown(pull: unknown): string {
  let text = ''
  const stderr = Object.assign(Object.create(process.stderr) as NodeJS.WriteStream, {
    write: (more: string) => ((text += more), true),
  })
  Object.defineProperties(stderr, { isTTY: { value: true }, columns: { value: 120 } })
  showOne(pull, new Progress({ stderr, env: {} }))
  return text
}

test('bytes and layers of a pull, as a bar', () => {
  const pull = {
    image: 'nginx:latest',
    layers: { current: 2, total: 5 },
    bytes: { current: 1_000_000, total: 4_000_000 },
  }
  assert.match(shown(pull), /pulling nginx:latest · layer 2 of 5 {2}\[#{6}\.{18}\] 1\.00 MB of 4\.00 MB$/)
})

test('layers alone, where no bytes are known; nothing for other steps', () => {
  const pull = { image: 'nginx:latest', layers: { current: 1, total: 4 }, bytes: null }
  assert.match(shown(pull), /pulling nginx:latest {2}\[#{6}\.{18}\] 1 layers of 4 layers$/)
  assert.equal(shown(null), '')
})
