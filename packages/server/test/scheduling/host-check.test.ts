import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lackOf } from '../../src/orchestration/host-check.ts'
import type { ClaimedOperation, ContainerSpec, Cpuset, HostInventory } from '../../src/orchestration/ports/wire.ts'
import { anInventory, aSpec } from '../support/builders.ts'

function aCreate(spec: Partial<ContainerSpec>, cpuset: Cpuset | null): ClaimedOperation {
  return {
    id: 1,
    fence: 1,
    verb: 'create',
    recipe: [],
    params: {},
    requestId: 'req-1',
    generation: 1,
    attempt: 1,
    failures: 0,
    ageMs: 0,
    journal: [],
    registryDomain: null,
    registryAuth: null,
    initMembers: [],
    members: [],
    container: {
      uuid: 'u',
      name: 'n',
      projectId: 'p',
      generation: 1,
      desired: 'created',
      status: 'Creating',
      spec: aSpec(spec),
      engineId: null,
      cpuset,
      bindings: [],
    },
  }
}

test('a host says what it is without by the time it is to begin', () => {
  const quota = { diskQuotaSupported: true }
  const rows: readonly [Partial<ContainerSpec>, Partial<HostInventory>, RegExp | undefined, Cpuset?][] = [
    [{}, {}, undefined],
    [{ runtime: 'kata' }, { runtimes: ['runc', 'kata'] }, undefined],
    [{ runtime: 'kata' }, { runtimes: ['runc'] }, /does not have the runtime kata/],
    [{ diskGiB: 1 }, {}, /^Your host does not support disk quota feature\.$/],
    [{ diskGiB: 1 }, quota, undefined],
    [{ diskGiB: 9 }, { ...quota, diskBaseGiB: 10 }, /smaller than the 10 GiB/],
    [{ memoryMiB: 24_000 }, {}, undefined],
    [{ memoryMiB: 24_001 }, {}, /Insufficient compute resources: Free memory 24000 MB < requested 24001 MB/],
    [{ cpu: 129 }, {}, /Free vcpu 128 vcpu < requested 129 vcpu/],
    [{ cpuPolicy: 'dedicated' }, {}, undefined, { cpus: [0, 7], mems: [0] }],
    [{ cpuPolicy: 'dedicated' }, {}, /cannot dedicate the cores 8,9 any more/, { cpus: [7, 8, 9], mems: [0] }],
  ]
  for (const [spec, has, lack, cpuset] of rows) {
    const found = lackOf(aCreate(spec, cpuset ?? null), anInventory(has))
    const what = JSON.stringify([spec, has])
    if (lack === undefined) assert.equal(found, undefined, what)
    else assert.match(found ?? '', lack, what)
  }
})
