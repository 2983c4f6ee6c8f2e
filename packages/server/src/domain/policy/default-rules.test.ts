/** policy.md 1 and 2, name by name. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { REGISTERED_RULES } from './default-rules.ts'
import { compileRules } from './rule-set.ts'

const LETTERS: Readonly<Record<string, string>> = {
  O: 'is_admin:True or project_id:%(project_id)s',
  A: 'rule:context_is_admin',
  R: 'role:admin',
  N: 'rule:deny_everybody',
  '!': '!',
}

const CONTRACT = `
R context_is_admin
O admin_or_owner
A admin_api
! deny_everybody
O container:create
A container:create:runtime
N container:create:privileged
A container:create:requested_destination
A container:create:image_pull_policy
O container:delete
A container:delete_all_projects
A container:delete_force
O container:get_one
A container:get_one:host
A container:get_one:image_pull_policy
A container:get_one:privileged
A container:get_one:runtime
A container:get_one_all_projects
O container:get_all
A container:get_all_all_projects
O container:update
O container:start
O container:stop
O container:reboot
O container:pause
O container:unpause
O container:logs
O container:execute
O container:execute_resize
O container:kill
O container:rename
O container:attach
O container:resize
O container:top
O container:get_archive
O container:put_archive
O container:stats
O container:commit
O container:add_security_group
O container:network_detach
O container:network_attach
O container:remove_security_group
O container:rebuild
O container:resize_container
O container:actions
A container:action:events
O capsule:create
O capsule:delete
A capsule:delete_all_projects
O capsule:get
A capsule:get:host
A capsule:get_one_all_projects
O capsule:get_all
A capsule:get_all_all_projects
A image:pull
A image:get_all
A image:get_one
O image:search
A image:delete
A zun-service:delete
A zun-service:disable
A zun-service:enable
A zun-service:force_down
A zun-service:get_all
A host:get_all
A host:get
R network:attach_external_network
R network:create
R network:delete
O availability_zones:get_all
A quota:update
A quota:delete
O quota:get
O quota:get_default
A quota_class:update
A quota_class:get
O registry:create
O registry:delete
O registry:get_one
O registry:get_all
A registry:get_all_all_projects
O registry:update
`

/** The built-in network and volume services, and the history; no other implementation has them. */
const OURS = `
O local_network:create
O local_network:delete
O local_network:get_one
O local_network:get_all
O local_volume:create
O local_volume:delete
O local_volume:get_one
O local_volume:get_all
O event:get_all
A event:get_all_all_projects
O history:get_one
O history:get_all
A history:get_all_all_projects
`

function rowsOf(table: string): [string, string][] {
  return table
    .trim()
    .split('\n')
    .map((line) => {
      const [letter = '', name = ''] = line.split(' ')
      return [name, LETTERS[letter] ?? letter]
    })
}

test('every rule of the contract is registered with its default, and none besides but our own', () => {
  const expected = rowsOf(CONTRACT)
  assert.equal(expected.length, 82)
  assert.deepEqual(
    Object.fromEntries(REGISTERED_RULES.map(({ name, check }) => [name, check])),
    Object.fromEntries([...expected, ...rowsOf(OURS)]),
  )
})

test('no name is registered twice, each says what it guards, and no default has anything wrong', () => {
  assert.equal(new Set(REGISTERED_RULES.map(({ name }) => name)).size, REGISTERED_RULES.length)
  for (const { name, about } of REGISTERED_RULES) assert.match(about, /^[a-z].{4,}[^.]$/, name)
  assert.deepEqual(compileRules(new Map(), 'default').problems, [])
})
