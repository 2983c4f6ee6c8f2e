import assert from 'node:assert/strict'
import { test } from 'node:test'
import { initRestartPolicy, sizeOf } from './capsule.ts'
import type { MemberTemplate } from './types.ts'

function wants(cpu: number | null, memoryMiB: number | null): MemberTemplate {
  return {
    image: 'busybox',
    command: null,
    cpu,
    memoryMiB,
    environment: {},
    workdir: null,
    imagePullPolicy: null,
    interactive: false,
    tty: false,
    exposedPorts: [],
    volumeMounts: [],
  }
}

test('a capsule is as large as its containers together, or as the largest init container', () => {
  const rows: readonly [MemberTemplate[], MemberTemplate[], number, number][] = [
    [[wants(null, null)], [], 0, 0],
    [[wants(0.1, 64), wants(0.2, 32)], [], 0.3, 96],
    [[wants(1, 64)], [wants(0.5, 128), wants(2, 16)], 2, 128],
    [[wants(1, null), wants(null, 64)], [wants(null, 64)], 1, 64],
  ]
  for (const [containers, initContainers, cpu, memoryMiB] of rows) {
    assert.deepEqual(sizeOf({ containers, initContainers }), { cpu, memoryMiB })
  }
})

test('an init container is not restarted for ever after it has ended', () => {
  assert.deepEqual(initRestartPolicy({ name: 'always', maximumRetryCount: 0 }), {
    name: 'on-failure',
    maximumRetryCount: 10,
  })
  for (const name of ['on-failure', 'no'] as const) {
    assert.deepEqual(initRestartPolicy({ name, maximumRetryCount: 0 }), { name, maximumRetryCount: 0 })
  }
})
