import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { findCycle, importsOf, readTree, violations } from '../test/support/import-graph.ts'

// Checks of the whole tree stand beside it and belong to no layer.
const CHECKS = ['layers.test.ts', 'compatibility.test.ts']
const server = readTree(import.meta.dirname).filter((file) => !CHECKS.includes(file.path))
const contract = readTree(join(import.meta.dirname, '../../contract/src'))

describe('imports follow the layers', () => {
  it('edge → app → orchestration → domain, adapters implement ports, only compose knows all', () => {
    assert.deepEqual(violations(server), [])
  })

  it('no files import each other in a circle', () => {
    assert.equal(findCycle(server.flatMap(importsOf)), undefined)
    assert.equal(findCycle(contract.flatMap(importsOf)), undefined)
  })

  it('the contract knows nothing of the server', () => {
    const outside = contract.flatMap(importsOf).filter(({ to }) => !contract.some((file) => file.path === to))
    assert.deepEqual([...new Set(outside.map(({ to }) => to))], ['typebox'])
  })

  it('the tree that was read is the whole one', () => {
    const edges = server.flatMap(importsOf).map(({ from, to }) => `${from.split('/')[0]} ${to.split('/')[0]}`)
    const layers = ['edge app', 'app orchestration', 'orchestration domain', 'adapters orchestration', 'compose edge']
    for (const edge of [...layers, 'compose adapters', 'main.ts compose']) assert.ok(edges.includes(edge), edge)
  })
})

describe('the check of the layers', () => {
  const files = (...made: readonly [path: string, text: string][]) => made.map(([path, text]) => ({ path, text }))

  const forbidden: readonly [from: string, to: string][] = [
    ['domain/a.ts', 'orchestration/b.ts'],
    ['orchestration/a.ts', 'app/b.ts'],
    ['orchestration/a.ts', 'adapters/b.ts'],
    ['app/a.ts', 'edge/b.ts'],
    ['app/a.ts', 'adapters/b.ts'],
    ['edge/a.ts', 'adapters/b.ts'],
    ['edge/a.ts', 'orchestration/runner.ts'],
    ['adapters/a.ts', 'edge/b.ts'],
    ['adapters/a.ts', 'app/accept.ts'],
    ['adapters/a.ts', 'orchestration/runner.ts'],
    ['lib/a.ts', 'domain/b.ts'],
    ['edge/a.ts', 'compose/b.ts'],
    ['main.ts', 'edge/b.ts'],
  ]
  for (const [from, to] of forbidden) {
    it(`refuses an import of ${to} in ${from}`, () => {
      const up = '../'.repeat(from.split('/').length - 1) || './'
      const spellings = [
        `import { b } from '${up}${to}'`,
        `import type {\n  B,\n  C,\n} from '${up}${to}'`,
        `export * from '${up}${to}'`,
        `import '${up}${to}'`,
        `const b = await import('${up}${to}')`,
      ]
      for (const text of spellings) {
        assert.deepEqual(violations(files([from, text], [to, ''])), [`${from} must not import ${to}`], text)
      }
    })
  }

  it('refuses what is not there, and packages in the domain', () => {
    assert.deepEqual(violations(files(['app/a.ts', "import { b } from './b.ts'"])), [
      'app/a.ts imports app/b.ts, which is not there',
    ])
    const pure = "import { readFileSync } from 'node:fs'"
    assert.deepEqual(violations(files(['domain/a.ts', pure])), ['domain/a.ts must not import node:fs: domain is pure'])
    assert.deepEqual(violations(files(['domain/a.test.ts', pure], ['app/a.ts', pure])), [])
  })

  it('refuses names of products in the inner layers, and words of deployment outside of compose', () => {
    assert.deepEqual(violations(files(['domain/neutron-port.ts', ''])), [
      'domain/neutron-port.ts: domain/neutron-port.ts names a product',
    ])
    assert.deepEqual(violations(files(['app/a.ts', 'export interface DockerThing {}'])), [
      'app/a.ts: DockerThing names a product',
    ])
    assert.deepEqual(violations(files(['edge/a.ts', '/** Only when embedded. */'], ['compose/a.ts', '// embedded'])), [
      "edge/a.ts has the word 'embedded', which is compose's",
    ])
  })

  it('finds a circle of imports', () => {
    const circle = files(
      ['app/a.ts', "import { b } from './b.ts'"],
      ['app/b.ts', "import { c } from './c.ts'"],
      ['app/c.ts', "import { b } from './b.ts'"],
    )
    assert.deepEqual(findCycle(circle.flatMap(importsOf)), ['app/b.ts', 'app/c.ts', 'app/b.ts'])
  })
})
