import assert from 'node:assert/strict'
import { test } from 'node:test'
import { InvalidInput } from '../../domain/errors.ts'
import { parseTemplate } from './parse-template.ts'

const LIMITS = {
  minimumMemory: 4,
  maximumMemory: 8192,
  minimumCpus: 0.1,
  maximumCpus: 16,
  minimumDisk: 1,
  maximumDisk: 160,
}
const VOLUME_ID = '0e7a2f5c-6bfd-4b63-8c46-0123456789ab'

test('a small template has every default', () => {
  const template = { kind: 'Capsule', metadata: {}, spec: { containers: [{ image: 'nginx' }] } }
  assert.deepEqual(parseTemplate({ template }, LIMITS), {
    name: null,
    labels: null,
    annotations: null,
    availabilityZone: null,
    restartPolicy: { name: 'always', maximumRetryCount: 0 },
    initContainers: [],
    containers: [
      {
        image: 'nginx',
        command: null,
        cpu: null,
        memoryMiB: null,
        environment: {},
        workdir: null,
        imagePullPolicy: null,
        interactive: false,
        tty: false,
        exposedPorts: [],
        volumeMounts: [],
      },
    ],
    volumes: [],
  })
})

const FULL = {
  kind: 'capsule',
  capsuleVersion: 'Beta',
  restartPolicy: 'Never',
  availabilityZone: 'nova',
  metadata: {
    name: 'web',
    labels: { app: 'web', tier: 1, on: true },
    annotations: { a: [1, { b: null }] },
    uid: 'ignored',
  },
  spec: {
    hostNetwork: true,
    restartPolicy: 'OnFailure',
    initContainers: [
      {
        image: 'busybox',
        command: ['sh', '-c', null, 'echo hi > /w/index.html'],
        args: null,
        livenessProbe: {},
        ports: [{ containerPort: 1, hostIP: '::' }],
        volumeMounts: [{ name: 'wd', mountPath: '/w', subPath: 'x' }],
      },
    ],
    containers: [
      {
        name: 'given',
        image: 'nginx',
        command: ['nginx'],
        args: ['-g', 'daemon off;'],
        env: { A: 'b' },
        workDir: '/tmp',
        imagePullPolicy: 'IfNotPresent',
        stdin: 'True',
        tty: true,
        ports: [
          { name: 'http', containerPort: 80, hostPort: '8080', protocol: 'TCP' },
          { containerPort: '53', protocol: 'UDP' },
          { containerPort: '080' },
          { containerPort: 0 },
        ],
        resources: { requests: { cpu: '0.5', memory: '256' } },
        volumeMounts: [
          { name: 'wd', mountPath: '/usr/share/nginx/html', readOnly: 'False' },
          { name: 'old', mountPath: '/old', readOnly: true },
          { name: 'unheard-of', mountPath: 'anything' },
        ],
      },
      { image: 'redis', args: ['redis-server'], resources: {}, env: null, workDir: null, imagePullPolicy: null },
    ],
    volumes: [
      { name: 'wd', cinder: { size: 1, autoRemove: 'true' }, emptyDir: {} },
      { name: 'old', cinder: { volumeID: VOLUME_ID, autoRemove: true } },
    ],
  },
}

test('a full template is taken over', () => {
  const parsed = parseTemplate({ template: FULL }, LIMITS)
  const { initContainers, containers, ...rest } = parsed
  assert.deepEqual(rest, {
    name: 'web',
    labels: { app: 'web', tier: '1', on: 'true' },
    annotations: { a: [1, { b: null }] },
    availabilityZone: 'nova',
    restartPolicy: { name: 'on-failure', maximumRetryCount: 0 },
    volumes: [
      { name: 'wd', source: { kind: 'new', sizeGiB: 1, autoRemove: true } },
      { name: 'old', source: { kind: 'existing', volumeId: VOLUME_ID } },
    ],
  })
  assert.deepEqual(
    initContainers.map(({ command, exposedPorts, volumeMounts }) => [command, exposedPorts, volumeMounts]),
    [[['sh', '-c', 'echo hi > /w/index.html'], ['1/tcp'], [{ volume: 'wd', mountPath: '/w' }]]],
  )
  const [first, second] = containers
  assert.deepEqual(first, {
    image: 'nginx',
    command: ['nginx', '-g', 'daemon off;'],
    cpu: 0.5,
    memoryMiB: 256,
    environment: { A: 'b' },
    workdir: '/tmp',
    imagePullPolicy: 'ifnotpresent',
    interactive: true,
    tty: true,
    exposedPorts: ['80/tcp', '53/udp'],
    volumeMounts: [
      { volume: 'wd', mountPath: '/usr/share/nginx/html' },
      { volume: 'old', mountPath: '/old' },
    ],
  })
  assert.deepEqual([second?.command, second?.cpu, second?.memoryMiB], [['redis-server'], null, null])
})

const withOne = (container: object, spec: object = {}): { template: object } => ({
  template: { kind: 'capsule', metadata: {}, spec: { containers: [{ image: 'nginx', ...container }], ...spec } },
})

test('the restart policy is that of the spec', () => {
  for (const [given, name] of [
    ['Always', 'always'],
    ['OnFailure', 'on-failure'],
    ['Never', 'no'],
    [undefined, 'always'],
  ]) {
    const { restartPolicy } = parseTemplate(withOne({}, { restartPolicy: given }), LIMITS)
    assert.deepEqual(restartPolicy, { name, maximumRetryCount: 0 })
  }
})

test('a pull policy has two spellings', () => {
  for (const given of ['never', 'always', 'ifnotpresent', 'Never', 'Always', 'IfNotPresent']) {
    const { containers } = parseTemplate(withOne({ imagePullPolicy: given }), LIMITS)
    assert.equal(containers[0]?.imagePullPolicy, given.toLowerCase())
  }
})

test('the limits of resources are those of the options', () => {
  const tight = { ...LIMITS, maximumCpus: 1, minimumMemory: 128 }
  for (const [requests, says] of [
    [{ cpu: 2 }, 'greater than the maximum of 1'],
    [{ memory: 64 }, 'less than the minimum of 128'],
  ] as const) {
    assert.throws(
      () => parseTemplate(withOne({ resources: { requests } }), tight),
      (error) => error instanceof InvalidInput && error.message.includes(says),
    )
  }
})
