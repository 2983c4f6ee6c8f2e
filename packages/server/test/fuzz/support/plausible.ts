/** Names and values that requests may have, so that most of a case is right and one thing of it is wrong. */
import fc from 'fast-check'

/** Templates as objects, as JSON and as YAML. */
const CAPSULES: readonly unknown[] = [
  { kind: 'capsule', metadata: {}, spec: { containers: [{ image: 'busybox' }] } },
  {
    kind: 'Capsule',
    capsuleVersion: 'beta',
    metadata: { name: 'fuzzed', labels: { app: 'web' }, annotations: { a: [1] } },
    spec: {
      restartPolicy: 'OnFailure',
      initContainers: [{ image: 'busybox', command: ['true'] }],
      containers: [
        {
          image: 'nginx',
          command: ['serve'],
          args: ['x'],
          env: { A: 'b' },
          workDir: '/tmp',
          ports: [{ containerPort: 80, protocol: 'TCP' }],
          resources: { requests: { cpu: 0.5, memory: 64 } },
          volumeMounts: [{ name: 'wd', mountPath: '/w' }],
        },
      ],
      volumes: [{ name: 'wd', cinder: { size: 1, autoRemove: true } }],
    },
  },
  '{"kind": "capsule", "metadata": {}, "spec": {"containers": [{"image": "busybox"}]}}',
  'kind: capsule\nmetadata: {name: &n fuzzed}\nspec:\n  containers:\n  - {image: busybox, name: *n}\n',
]

/** Fields of every request there is, in query or body; a new route takes its own from here or gets all of them. */
const FIELDS: Readonly<Record<string, readonly unknown[]>> = {
  // Actions.
  timeout: [0, '0', '1', 3],
  signal: ['SIGKILL', 'KILL', '9', 'SIGUSR1', 'None', 15],
  name: ['renamed', 'box-2', 'alpha.beta_gamma'],
  command: [['echo', 'hello'], 'echo hello', ['true'], '"sh" "-c" "exit 3"', ['sleep', '0']],
  run: [true, false, 'true', 'False', '1'],
  interactive: [true, 'true', false],
  exec_id: ['ab'.repeat(32)],
  h: ['24', 24, 1, '65535'],
  w: ['80', 80, 1],
  path: ['/etc/passwd', '/tmp', '/', '/etc'],
  data: ['', 'YWJj', Buffer.alloc(1024).toString('base64')],
  repository: ['snap', 'snap/shot', 'snap-1'],
  tag: ['latest', 'v1'],
  stdout: ['true', '0', 'yes'],
  stderr: ['true', 'off', 'None'],
  timestamps: ['true', 'False'],
  tail: ['all', '1', '100', 'x'],
  since: ['0', '1700000000', '2026-01-01 00:00:00,0'],
  ps_args: ['None', '-ef', 'aux'],
  force: ['true', 'False', '0'],
  stop: ['true', 'False', '0'],
  all_projects: ['true', 'False', '0', ''],
  network: ['lan', 'default'],
  port: ['p1'],
  fixed_ip: ['10.0.0.5', 'fd00::5'],
  // Lists.
  limit: ['1', '2', '1000', '100000'],
  marker: ['0e7a2f5c-6bfd-4b63-8c46-0123456789ab'],
  sort_key: ['id', 'uuid', 'name', 'created_at', 'status', 'memory', 'hostname', 'size'],
  sort_dir: ['asc', 'desc'],
  image: ['busybox', 'nginx:latest', 'docker.io/library/busybox'],
  project_id: ['p', 'red'],
  user_id: ['u'],
  memory: ['512', 64, '64'],
  status: ['Running', 'Error'],
  task_state: ['None', 'container_creating'],
  auto_remove: ['true', 'False', false],
  auto_heal: ['true', false],
  cpu: [0.5, '1', 2],
  expand: ['1'],
  resource_url: ['containers'],
  // Operators.
  host: ['sim-host', 'nowhere'],
  binary: ['zun-compute'],
  disabled_reason: ['maintenance'],
  forced_down: ['false', false],
  repo: ['busybox', 'nginx:1', 'quay.io/x/y'],
  image_id: ['sha256', null],
  size: [1, '2', '1m', 20],
  image_driver: ['docker', 'None'],
  image_pull_policy: ['ifnotpresent', 'Always', null],
  exact_match: ['true', 'False'],
  containers: [1_000_000, '-1', -1],
  disk: [1_000_000, '-1'],
  usages: ['true', 'False', ''],
  domain: ['registry.test', 'registry.test:5000/mirror'],
  username: ['puller'],
  registry: [
    { name: 'store', domain: 'registry.test' },
    { domain: 'registry.test', username: 'puller', password: 'secret word' },
    { name: 'other-store' },
  ],
  template: CAPSULES,
  // Identity.
  auth: [
    {
      identity: {
        methods: ['password'],
        password: { user: { name: 'alice', password: 'wrong', domain: { id: 'x' } } },
      },
      scope: { project: { name: 'red' } },
    },
    { identity: { methods: ['token'], token: { id: 'zundx' } }, scope: 'unscoped' },
    { identity: { methods: ['application_credential'], application_credential: { id: 'x', secret: 'y' } } },
  ],
}

const CREATE: Readonly<Record<string, readonly unknown[]>> = {
  image: ['busybox', 'nginx', 'busybox:latest', 'docker.io/library/nginx'],
  name: ['fuzzed', 'fuzzed-2'],
  command: [['serve'], ['sleep', '1'], ['true'], 'serve', []],
  entrypoint: [['sh', '-c'], []],
  cpu: [0.5, '1', 1],
  cpu_policy: ['shared', 'dedicated'],
  memory: [64, '128', 512],
  disk: [1, '2'],
  workdir: ['/tmp', ''],
  environment: [{ A: 'b' }, {}],
  labels: [{ app: 'web', n: 1 }, {}],
  hostname: ['web-1', ''],
  image_driver: ['docker', null],
  restart_policy: [{ Name: 'no' }, { Name: 'on-failure', MaximumRetryCount: 2 }, { Name: 'always' }],
  interactive: [true, 'False'],
  tty: [true, false],
  auto_remove: [false, true],
  auto_heal: [false, 'true'],
  security_groups: [['default'], []],
  exposed_ports: [{ '80/tcp': {} }, { '53/udp': {} }, {}],
  nets: [[], [{ network: 'lan' }], [{ network: 'lan', 'v4-fixed-ip': '10.128.9.9' }]],
  mounts: [
    [],
    [{ source: 'data', destination: '/data' }],
    [{ size: 1, destination: '/new' }],
    [{ type: 'bind', source: 'aGVsbG8=', destination: '/etc/motd' }],
  ],
  healthcheck: [{ cmd: 'true', interval: 5, timeout: 5, retries: 3 }, {}],
  availability_zone: ['nova', null],
  hints: [{}, { 'label:rack': 'a1' }],
  runtime: ['', 'runc'],
  registry: ['store'],
}

/** What a field holds in a request that is right. */
export function valuesOf(route: string, name: string): readonly unknown[] {
  return (route === 'POST /v1/containers' ? CREATE[name] : FIELDS[name]) ?? FIELDS[name] ?? ['x']
}

const QUOTA = ['containers', 'memory', 'cpu', 'disk'] as const

/** Bodies whose names are not those of the query. */
const BODIES: Readonly<Record<string, readonly string[]>> = {
  'POST /v1/containers': Object.keys(CREATE),
  'PATCH /v1/containers/:ident': ['name', 'cpu', 'memory', 'auto_heal'],
  'POST /v1/containers/:ident/resize_container': ['cpu', 'memory'],
  'POST /v1/images': ['repo', 'host', 'tag', 'image_id', 'size', 'image_pull_policy'],
  'POST /v1/local/networks': ['name'],
  'POST /v1/local/volumes': ['name', 'size'],
  'GET /v1/quotas/:project': ['usages'],
  'POST /v1/capsules': ['template'],
  'POST /v1/registries': ['registry'],
  'PATCH /v1/registries/:ident': ['registry'],
  'PUT /v1/quotas/:project': QUOTA,
  'PUT /v1/quota_classes/:name': QUOTA,
  'POST /identity/v3/auth/tokens': ['auth'],
}

/** Fields that a body of this route may have. */
export function bodyFields(route: string, query: readonly string[] | undefined): readonly string[] {
  return BODIES[route] ?? query ?? Object.keys(FIELDS)
}

export function queryFields(route: string, declared: readonly string[] | undefined): readonly string[] {
  // Where query and body are one set of arguments, a name that is unknown in one is so in the other.
  return declared ?? BODIES[route] ?? Object.keys(FIELDS)
}

/** Some of the names, each with one of its right values. */
export function filled(
  route: string,
  names: readonly string[],
  must: readonly string[],
): fc.Arbitrary<Record<string, unknown>> {
  return fc
    .subarray([...names], { maxLength: Math.min(names.length, 6) })
    .chain((some) =>
      fc.record(
        Object.fromEntries(
          [...new Set([...must, ...some])].map((name) => [name, fc.constantFrom(...valuesOf(route, name))]),
        ),
      ),
    )
}

/** Without these nothing but a 400 can be seen of the route. */
export function neededFields(route: string): readonly string[] {
  const action = route.split('/').at(-1) ?? ''
  const needs: Readonly<Record<string, readonly string[]>> = {
    'POST /v1/containers': ['image'],
    'POST /v1/local/networks': ['name'],
    'POST /v1/local/volumes': ['name', 'size'],
    'POST /v1/images': ['repo', 'host'],
    'POST /v1/capsules': ['template'],
    'POST /v1/registries': ['registry'],
    'PATCH /v1/registries/:ident': ['registry'],
    'POST /identity/v3/auth/tokens': ['auth'],
    execute: ['command'],
    execute_resize: ['exec_id', 'h', 'w'],
    resize: ['h', 'w'],
    get_archive: ['path'],
    put_archive: ['path', 'data'],
    commit: ['repository'],
    rename: ['name'],
    network_detach: ['network'],
    add_security_group: ['name'],
    remove_security_group: ['name'],
    enable: ['host', 'binary'],
    disable: ['host', 'binary'],
    force_down: ['host', 'binary', 'forced_down'],
  }
  return needs[route] ?? needs[action] ?? []
}
