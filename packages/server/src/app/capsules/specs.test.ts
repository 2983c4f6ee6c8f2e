import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BUILT_IN_SANDBOX_IMAGE } from '../../domain/capsule/sandbox.ts'
import type { CapsuleTemplate, MemberTemplate } from '../../domain/capsule/types.ts'
import { memberNames } from './member-names.ts'
import { capsuleSpec, memberSpec } from './specs.ts'

const MEMBER: MemberTemplate = {
  image: 'busybox',
  command: ['true'],
  cpu: 0.5,
  memoryMiB: 64,
  environment: { A: 'b' },
  workdir: '/w',
  imagePullPolicy: 'never',
  interactive: true,
  tty: true,
  exposedPorts: ['80/tcp'],
  volumeMounts: [],
}
const TEMPLATE: CapsuleTemplate = {
  name: 'web',
  labels: { app: 'web' },
  annotations: null,
  availabilityZone: null,
  restartPolicy: { name: 'always', maximumRetryCount: 0 },
  initContainers: [{ ...MEMBER, exposedPorts: ['53/udp'] }],
  containers: [MEMBER, { ...MEMBER, exposedPorts: ['80/tcp', '443/tcp'] }],
  volumes: [],
}

test('a capsule has the image, the size and the ports of the whole', () => {
  const built = capsuleSpec(TEMPLATE, { image: null, imageDriver: 'glance', pullPolicy: 'ifnotpresent' })
  assert.deepEqual([built.image, built.imageDriver], [BUILT_IN_SANDBOX_IMAGE, 'docker'])
  assert.deepEqual([built.cpu, built.memoryMiB, built.labels], [1, 128, { app: 'web' }])
  assert.deepEqual(built.exposedPorts.toSorted(), ['443/tcp', '53/udp', '80/tcp'])
  assert.deepEqual(built.restartPolicy, TEMPLATE.restartPolicy)
  const chosen = capsuleSpec(TEMPLATE, { image: 'pause', imageDriver: 'glance', pullPolicy: 'always' })
  assert.deepEqual([chosen.image, chosen.imageDriver, chosen.imagePullPolicy], ['pause', 'glance', 'always'])
})

test('a member has what its template says, and the policy of the capsule', () => {
  const spec = memberSpec(MEMBER, TEMPLATE, { isInit: false, mayChoosePull: true, imageDriver: 'docker' })
  const { image, command, cpu, memoryMiB, environment, workdir, imagePullPolicy, interactive, tty, exposedPorts } = spec
  const told = { image, command, cpu, memoryMiB, environment, workdir, imagePullPolicy, interactive, tty, exposedPorts }
  assert.deepEqual({ ...told, volumeMounts: [] }, MEMBER)
  assert.deepEqual([spec.restartPolicy?.name, spec.entrypoint, spec.privileged], ['always', null, false])
  const init = memberSpec(MEMBER, TEMPLATE, { isInit: true, mayChoosePull: false, imageDriver: 'glance' })
  assert.deepEqual(init.restartPolicy, { name: 'on-failure', maximumRetryCount: 10 })
  assert.deepEqual([init.imagePullPolicy, init.imageDriver, spec.imageDriver], ['always', 'glance', 'docker'])
})

test('names of members are those of the contract, and differ, however many there are', () => {
  const uuids = Array.from({ length: 64 }, (_, n) => `uuid-${n}`)
  const names = memberNames('web', uuids)
  assert.equal(new Set(names).size, 64)
  for (const name of names) assert.match(name, /^capsule-web-[a-z]+-([1-9]|1[0-9]|2[0-4])$/)
  for (const name of memberNames('x'.repeat(255), uuids)) assert.ok(name.length <= 255)
})
