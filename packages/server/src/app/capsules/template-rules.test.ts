/** capsules 2: a row per rule. What is wrong is named by its path, with its value and the limit. */
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
const SCHEMA = 'schema-validation-error'
const SEMANTIC = 'invalid-capsule-template'
const VOLUME_ID = '0e7a2f5c-6bfd-4b63-8c46-0123456789ab'

/** A template in which everything is right. */
const right = () => ({
  kind: 'capsule',
  metadata: {},
  spec: {
    containers: [{ image: 'nginx', volumeMounts: [{ name: 'wd', mountPath: '/w' }] }],
    initContainers: [{ image: 'busybox' }],
    volumes: [{ name: 'wd', cinder: { size: 1 } }],
  },
})

const C = 'spec.containers[0]'
const I = 'spec.initContainers[0]'
const V = 'spec.volumes[0]'
const REQUIRED = 'is a required property'
const NOT_NULL = 'It must not be null'
const BOOLEAN = 'It is not one of True, true, False, false'
const NAME_LENGTH = 'Its length must be between 2 and 255'

const times = (count: number): object[] => Array.from({ length: count }, () => ({}))
const words = (count: number): string[] => Array.from({ length: count }, () => 'x')
const entries = (count: number): object => Object.fromEntries(words(count).map((word, i) => [`k${i}`, word]))
/** The last name of the path is one that nobody knows. */
const unknown = (path: string): Row => [path, {}, 'UNKNOWN']

/** What is set, where; what the message says of it; the code if not the schema's; the path it names if not that one. */
type Row = readonly [path: string, value: unknown, says: string, code?: string, named?: string]

const WRONG: readonly Row[] = [
  ['kind', undefined, REQUIRED],
  ['kind', null, REQUIRED],
  ['kind', 'pod', "Value: 'pod'. It is not one of capsule, Capsule"],
  ['kind', 'CAPSULE', 'It is not one of capsule, Capsule'],
  ['metadata', undefined, REQUIRED],
  ['metadata', [], 'It is not an object'],
  ['spec', undefined, REQUIRED],
  ['spec', 'x', 'It is not an object'],
  ['capsuleVersion', 'v1', 'It is not one of beta, Beta'],
  ['capsuleVersion', null, NOT_NULL],
  ['availabilityZone', '', 'Its length must be between 1 and 255'],
  ['availabilityZone', 'z'.repeat(256), 'Its length must be between 1 and 255'],
  ['availabilityZone', 1, 'It is not a string'],
  ['restartPolicy', 'always', 'It is not one of Always, OnFailure, Never'],
  ...['nets', 'networks', 'securityGroups', 'hints', 'restart_policy', 'registry'].map(unknown),

  ['metadata.name', 'x', NAME_LENGTH],
  ['metadata.name', 'x'.repeat(256), NAME_LENGTH],
  ['metadata.name', '-begins', 'It must match'],
  ['metadata.name', 'has blank', 'It must match'],
  ['metadata.name', 7, "Value: '7'. It is not a string"],
  ['metadata.labels', ['a'], 'It is not an object'],
  ['metadata.labels.a', {}, 'It must be a string, a number or a boolean'],
  ['metadata.labels.a', null, 'It must be a string, a number or a boolean'],
  ['metadata.labels.a', 'x'.repeat(4097), 'at most 4096 characters'],
  ['metadata.labels', { '': 'x' }, 'between 1 and 255'],
  ['metadata.labels', { ['k'.repeat(256)]: 'x' }, 'between 1 and 255'],
  ['metadata.labels', { 'org.openstack.zund.x': '1' }, 'The prefix org.openstack.zund. is reserved'],
  ['metadata.labels', entries(257), "Value: '257'. There must be at most 256"],
  ['metadata.annotations', 'x', 'It is not an object'],
  ['metadata.annotations', { a: 'x'.repeat(70_000) }, 'at most 65536 characters'],

  ['spec.containers', undefined, REQUIRED],
  ['spec.containers', null, REQUIRED],
  ['spec.containers', {}, 'It is not a list'],
  ['spec.containers', [], "Value: '[]'. There must be at least 1", SEMANTIC],
  ['spec.containers', ['nginx'], 'It is not an object', SCHEMA, C],
  ['spec.containers', times(33), "Value: '33'. There must be at most 32"],
  ['spec.initContainers', 'x', 'It is not a list'],
  ['spec.initContainers', times(33), "Value: '33'. There must be at most 32"],
  ['spec.volumes', {}, 'It is not a list'],
  ['spec.volumes', times(33), "Value: '33'. There must be at most 32"],
  ['spec.restartPolicy', 'always', 'It is not one of Always, OnFailure, Never'],
  ['spec.restartPolicy', null, NOT_NULL],

  ...['labels', 'securityContext', 'livenessProbe', 'entrypoint', 'disk', 'environment', 'workdir'].map((name) =>
    unknown(`${C}.${name}`),
  ),
  [`${C}.image`, undefined, REQUIRED],
  [`${C}.image`, null, REQUIRED],
  [`${C}.image`, 'x', NAME_LENGTH],
  [`${C}.image`, 'x'.repeat(256), NAME_LENGTH],
  [`${C}.image`, '///', 'It must match'],
  [`${C}.name`, '_x', 'It must match'],
  [`${C}.command`, 'sh', 'It is not a list'],
  [`${C}.command`, null, NOT_NULL],
  [`${C}.command`, ['sh', 1], "Value: '1'. It is not a string", SCHEMA, `${C}.command[1]`],
  [`${C}.command`, ['a\0b'], 'NUL', SCHEMA, `${C}.command[0]`],
  [`${C}.command`, words(1025), "Value: '1025'. There must be at most 1024"],
  [`${C}.args`, [{}], 'It is not a string', SCHEMA, `${C}.args[0]`],
  [`${C}.resources`, 1, 'It is not an object'],
  [`${C}.resources`, { requests: null }, NOT_NULL, SCHEMA, `${C}.resources.requests`],
  unknown(`${C}.resources.limits`),
  unknown(`${C}.resources.requests.disk`),
  [`${C}.resources.requests.cpu`, 0.09, "Value: '0.09'. It is less than the minimum of 0.1"],
  [`${C}.resources.requests.cpu`, 17, 'It is greater than the maximum of 16'],
  [`${C}.resources.requests.cpu`, '16.5', 'It is greater than the maximum of 16'],
  [`${C}.resources.requests.cpu`, '1e1', 'It is not a number'],
  [`${C}.resources.requests.cpu`, '', 'It is not a number'],
  [`${C}.resources.requests.cpu`, true, 'It is not a number'],
  [`${C}.resources.requests.memory`, 3, "Value: '3'. It is less than the minimum of 4"],
  [`${C}.resources.requests.memory`, '3', 'It is less than the minimum of 4'],
  [`${C}.resources.requests.memory`, 8193, 'It is greater than the maximum of 8192'],
  [`${C}.resources.requests.memory`, 64.5, 'It is not a whole number'],
  [`${C}.resources.requests.memory`, '64Mi', 'It is not a whole number'],
  [`${C}.ports`, {}, 'It is not a list'],
  [`${C}.ports`, times(257), 'There must be at most 256'],
  [`${C}.ports[0]`, {}, REQUIRED, SCHEMA, `${C}.ports[0].containerPort`],
  [`${C}.ports[0].containerPort`, -1, 'It is less than the minimum of 0'],
  [`${C}.ports[0].containerPort`, 65_536, 'It is greater than the maximum of 65535'],
  [`${C}.ports[0].containerPort`, 1.5, 'It is not a whole number'],
  [`${C}.ports[0].containerPort`, 'http', 'It is not a whole number'],
  [`${C}.ports[0]`, { containerPort: 1, hostPort: -1 }, 'minimum of 0', SCHEMA, `${C}.ports[0].hostPort`],
  [`${C}.ports[0]`, { containerPort: 1, protocol: 'tcp' }, 'TCP, UDP', SCHEMA, `${C}.ports[0].protocol`],
  [`${C}.ports[0]`, { containerPort: 1, name: 1 }, 'It is not a string', SCHEMA, `${C}.ports[0].name`],
  unknown(`${C}.ports[0].hostIP`),
  [`${C}.volumeMounts`, times(65), 'There must be at most 64'],
  [`${C}.volumeMounts[0].name`, undefined, REQUIRED],
  [`${C}.volumeMounts[0].name`, 'x', NAME_LENGTH],
  [`${C}.volumeMounts[0].mountPath`, undefined, REQUIRED],
  [`${C}.volumeMounts[0].mountPath`, 1, 'It is not a string'],
  [`${C}.volumeMounts[0].readOnly`, 'yes', BOOLEAN],
  unknown(`${C}.volumeMounts[0].subPath`),
  [`${C}.volumeMounts[0].mountPath`, 'w', 'It must be an absolute path below /', SEMANTIC],
  [`${C}.volumeMounts[0].mountPath`, '/', 'It must be an absolute path below /', SEMANTIC],
  [`${C}.volumeMounts[0].mountPath`, '/a/../..', 'It must be an absolute path below /', SEMANTIC],
  [
    `${C}.volumeMounts[1]`,
    { name: 'wd', mountPath: '//w/' },
    "Value: '//w/'. The container mounts there already",
    SEMANTIC,
    `${C}.volumeMounts[1].mountPath`,
  ],
  [`${C}.env`, ['A=b'], 'It is not an object'],
  [`${C}.env.A`, 1, "Value: '1'. It is not a string"],
  [`${C}.env.A`, null, 'It is not a string'],
  [`${C}.env.A`, 'x\0', 'NUL'],
  [`${C}.env`, { 'A=b': 'x' }, "no '='"],
  [`${C}.env`, { '': 'x' }, 'at least 1 character'],
  [`${C}.env`, entries(1025), 'There must be at most 1024'],
  [`${C}.workDir`, 'tmp', 'It must be an absolute path'],
  [`${C}.workDir`, '/proc/self/fd/8', 'It must not be below /proc'],
  [`${C}.workDir`, 1, 'It is not a string'],
  [`${C}.imagePullPolicy`, 'ALWAYS', 'It is not one of never, always, ifnotpresent, Never, Always, IfNotPresent'],
  [`${C}.stdin`, 'yes', BOOLEAN],
  [`${C}.stdin`, null, NOT_NULL],
  [`${C}.tty`, 1, BOOLEAN],

  [`${I}.image`, undefined, 'An init container must have an image', SEMANTIC],
  [`${I}.image`, 7, 'It is not a string'],
  [`${I}.command`, 'sh', 'It is not a list'],
  [`${I}.resources.requests.cpu`, 'x', 'It is not a number'],
  [`${I}.env.A`, 1, 'It is not a string'],
  [`${I}.tty`, 'on', BOOLEAN],
  [`${I}.resources`, { limits: {} }, 'must have requests', SEMANTIC, `${I}.resources.requests`],

  [`${V}.name`, undefined, REQUIRED],
  [`${V}.name`, 'x', NAME_LENGTH],
  [`${V}.cinder`, undefined, REQUIRED],
  [`${V}.cinder`, 'x', 'It is not an object'],
  unknown(`${V}.cinder.fsType`),
  [`${V}.cinder.size`, '1', "Value: '1'. It is not a number"],
  [`${V}.cinder.size`, null, NOT_NULL],
  [`${V}.cinder.size`, 0, 'It is less than the minimum of 1'],
  [`${V}.cinder.size`, 1.5, 'It is not a whole number'],
  [`${V}.cinder.size`, 16_385, 'It is greater than the maximum of 16384'],
  [`${V}.cinder.volumeID`, 'short', 'Its length must be between 36 and 36'],
  [`${V}.cinder.volumeID`, 1, 'It is not a string'],
  [`${V}.cinder.autoRemove`, 'on', BOOLEAN],
  [`${V}.cinder`, {}, 'Exactly one of volumeID and size must be given', SEMANTIC],
  [`${V}.cinder`, { autoRemove: true }, 'Exactly one of volumeID and size must be given', SEMANTIC],
  [`${V}.cinder`, { size: 1, volumeID: VOLUME_ID }, 'Exactly one of volumeID and size must be given', SEMANTIC],
  ['spec.volumes[1]', { name: 'wd', cinder: { size: 1 } }, 'has the name', SEMANTIC, 'spec.volumes[1].name'],
  [
    'spec.volumes',
    ['wd', 'w2'].map((name) => ({ name, cinder: { volumeID: VOLUME_ID } })),
    'The template names the volume twice',
    SEMANTIC,
    'spec.volumes[1].cinder.volumeID',
  ],
  [
    'spec.volumes[1]',
    { name: 'idle', cinder: { size: 1 } },
    'volume mount parameters is invalid. No container mounts',
    'invalid',
    'spec.volumes[1].name',
  ],
]

/** The template with the value at the path, and objects on the way to it; undefined: without it. */
function changed(path: string, value: unknown): object {
  const root: Record<string, unknown> = right()
  const names = path.split(/\.|\[(\d+)\]\.?/).filter((name) => name !== undefined && name !== '')
  const last = names.pop() ?? ''
  let at = root
  for (const [i, name] of names.entries()) {
    at[name] ??= /^\d+$/.test(names[i + 1] ?? last) ? [] : {}
    at = at[name] as Record<string, unknown>
  }
  if (value === undefined) delete at[last]
  else at[last] = value
  return root
}

function refusal(body: Record<string, unknown>): InvalidInput {
  try {
    parseTemplate(body, LIMITS)
  } catch (error) {
    assert.ok(error instanceof InvalidInput, String(error))
    return error
  }
  throw new Error(`accepted: ${JSON.stringify(body).slice(0, 500)}`)
}

test('the template that the rows change is right', () => {
  parseTemplate({ template: right() }, LIMITS)
})

test('every rule refuses what breaks it, and names path, value and limit', () => {
  for (const [path, value, says, code = SCHEMA, named = path] of WRONG) {
    const template = changed(path, value)
    for (const given of [template, JSON.stringify(template)]) {
      const { message, code: found } = refusal({ template: given })
      assert.equal(found, code, message)
      if (says === 'UNKNOWN') {
        const [, parent = 'template', name = path] = /^(.*)\.([^.]+)$/.exec(`template.${path}`) ?? []
        assert.equal(message, `Additional properties are not allowed in ${parent} ('${name}' was unexpected)`)
      } else {
        assert.ok(message.includes(`'template.${named}'`) && message.includes(says), `${path} ${says}: ${message}`)
      }
    }
  }
})

test('only the template may be in the body, and it is an object or the text of one', () => {
  const rows: readonly (readonly [Record<string, unknown>, string])[] = [
    [{}, "'template' is a required property"],
    [{ template: right(), name: 'x' }, "Additional properties are not allowed ('name' was unexpected)"],
    [
      { template: null },
      "Invalid input for field 'template'.Value: 'null'. It is neither an object nor the text of one",
    ],
    [{ template: [] }, "Invalid input for field 'template'.Value: '[]'. It is neither an object nor the text of one"],
    [{ template: 7 }, "Invalid input for field 'template'.Value: '7'. It is neither an object nor the text of one"],
    [{ template: '' }, "Invalid input for field 'template'.Value: ''. It is neither an object nor the text of one"],
    [
      { template: '[1]' },
      "Invalid input for field 'template'.Value: '[1]'. It is neither an object nor the text of one",
    ],
  ]
  for (const [given, message] of rows) {
    const error = refusal(given)
    assert.deepEqual([error.message, error.code], [message, SCHEMA])
  }
})
