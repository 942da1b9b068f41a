#!/usr/bin/python
# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: profile_plan
short_description: Plan a profile over the hosts of the inventory
version_added: 0.1.0
author:
  - the retail.profiles authors (@retail-profiles)
description:
  - Finds a profile, validates it, places its replicas on the hosts of the play, and answers with the complete plan
    of what runs where.
  - The same profile, inventory, variables and snapshot give the same plan.
  - This is an action that runs on the controller and connects to no host. Use it with C(run_once).
  - The stage V(plan) reads the snapshot of each host from its registered variable C(profile_checked), the result of
    M(retail.profiles.profile_apply) with C(state=checked) and C(snapshot=true).
attributes:
  check_mode:
    description: Nothing is changed in any mode; in check mode no run is begun.
    support: full
  diff_mode:
    description: There is nothing to show a difference of.
    support: none
options:
  stage:
    description:
      - V(name) names the deployment of the profile, and plans nothing.
      - V(select) names the hosts that the profile uses, and says what each will run if no snapshot gives a surprise.
        Where placement looks at the hosts themselves, it names all that the profile may use.
      - V(prepare) names the images and models that these hosts need.
      - V(plan) makes the plan.
    type: str
    choices: [name, select, prepare, plan]
    default: plan
  profile:
    description:
      - Name of the profile, or the path of its folder or file. Needed unless O(plan) is given.
      - Profiles of Intel's retail repositories and Compose files are taken as they are.
      - Several files that are laid over each other are given as a list, the first one first.
    type: raw
  plan:
    description: A stored plan to use instead of a profile.
    type: path
  from_run:
    description:
      - The directory of a run to make again, with its plan and as it was measured, instead of a profile. What differs
        of the hosts' systems is printed; an image that is not the recorded one is an error.
    type: path
  deployment:
    description: Name of the deployment; the profile's own when it is not given.
    type: str
  search:
    description: Folders in which profiles are looked for; the usual ones when it is empty.
    type: list
    elements: path
    default: []
  env:
    description: Environment variables for every container, above all that the profile gives.
    type: dict
    default: {}
  replicas:
    description: Number of replicas by container, instead of what the profile gives.
    type: dict
    default: {}
  env_wins:
    description: Whether O(env) also stands above what a Compose file says in C(environment).
    type: bool
    default: false
  variables:
    description:
      - Values of the variables that a profile of another format is written with (C($V), C(${V})).
      - No container is given them.
      - They stand above O(env), the inventory, and the file C(.env) beside a Compose file.
    type: dict
    default: {}
  place:
    description: Inventory pattern by container, instead of what the profile gives.
    type: dict
    default: {}
  images:
    description: Image to use instead, by the image that the profile names.
    type: dict
    default: {}
  image:
    description:
      - Image of the containers for which a profile of another format names none; or a dictionary, by container.
    type: raw
  root:
    description:
      - Folder on the controller that holds the files of a profile in another format.
      - The usual folder of that format's layout when it is not given.
    type: path
  target_device:
    description:
      - Device that the containers with the field C(target_device), and those that serve OVMS, infer on.
      - C(CPU), C(GPU), C(GPU.n), C(NPU), C(AUTO), C(MULTI:a,b) or C(HETERO:a,b).
    type: str
  input_source:
    description:
      - Input of the containers with the field C(input_source).
      - C(rtsp://...), C(file:NAME), C(/dev/videoN), or the serial number of a RealSense camera.
    type: str
  render:
    description: Whether the containers with the field C(render) show their output on the X display of their host.
    type: bool
  objectives:
    description:
      - What the run must reach, instead of what the profile says; a list as of the profile's field C(objectives).
      - An empty list means none.
    type: raw
  streams:
    description:
      - Number of streams, of what the profile or O(density) calls one; as the profile says by default.
      - Where each host has streams of its own (C(per) is V(host)), numbers by host.
    type: raw
  density:
    description: What a stream is, as the profile's field of that name, instead of what the profile says.
    type: dict
  target_fps:
    description:
      - Frames per second that each stream must reach, as O(objectives) of each container whose streams are counted.
    type: float
  seek:
    description:
      - Whether a search for stream density begins with this plan. Then it has a stream on each host, or as many as the
        search begins with, unless O(streams) says how many; and something must be said that streams are to reach.
    type: bool
    default: false
  resume:
    description: With O(seek), the directory of a run whose search was interrupted, and goes on.
    type: path
  run_dir:
    description: The directory of the run of which this plan is a step.
    type: path
  run_id:
    description: The id of the run of which this plan is a step.
    type: str
  pull:
    description: When images are pulled.
    type: str
    choices: [missing, always, never]
    default: missing
  state_dir:
    description: State directory on the hosts.
    type: str
    default: /var/lib/retail-profiles
  models_dir:
    description: Directory of the models on the hosts, which profiles know as C(models_dir).
    type: str
    default: /var/lib/retail-profiles/models
  results_dir:
    description: Directory on the controller under which a run gets its own.
    type: path
    default: results
  notes:
    description: What the record of the run is to say about it, in words of yours.
    type: str
    default: ""
  run:
    description:
      - Whether a run begins with this plan. It then gets an id and a directory, and the callback must be enabled.
    type: bool
    default: false
  live:
    description:
      - Where the latest values are served while the run is measured, as C(ADDRESS:PORT), or a port of 127.0.0.1 alone.
      - The stage V(select) fails where it cannot be listened on; the callback serves it from the stage V(plan) on.
    type: str
  show:
    description: Whether to print the plan.
    type: bool
    default: true
  full:
    description:
      - Whether the plan in words has an entry for every replica. Otherwise replicas of a container that are alike share
        one, which names them and says what differs between them.
      - With C(-v) every replica has its entry, too.
    type: bool
    default: false
  as_playbook:
    description:
      - File on the controller to which the plan is written as a playbook of stock tasks. The profile's files go into a
        folder of its name and C(.files) beside it.
    type: path
  asked:
    description: For the stage V(plan), RV(asked) of the stage V(select).
    type: dict
    default: {}
  left_on:
    description:
      - Hosts on which the run before has left the deployment. They are among RV(hosts), and RV(leaving) says what is to
        be removed there first.
    type: list
    elements: str
    default: []
  from_variables:
    description:
      - Whether options that are not given are taken from the variables of the role P(retail.profiles.profile#role),
        such as C(profile_env) for O(env).
      - A variable that is null or empty text counts as not given.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Ask which hosts the profile uses
  retail.profiles.profile_plan:
    stage: select
    profile: ovms
  run_once: true
  register: selected

- name: Plan from the facts that the hosts gave
  retail.profiles.profile_plan:
    profile: ovms
  run_once: true
  register: planned
"""

RETURN = r"""
hosts:
  description: The hosts that the profile uses, naturally sorted.
  returned: stage is select
  type: list
  elements: str
deployment:
  description: Name of the deployment.
  returned: stage is name, select or plan
  type: str
state_dir:
  description: Directory of the hosts in which the collection keeps its state.
  returned: stage is select
  type: str
profile_file:
  description: The file of the profile, or its several files, or the folder whose C(COMPOSE_FILE) names them; null for
    a stored plan that needs none.
  returned: stage is select or plan
  type: raw
shares:
  description: By host, what it will probably have to run; empty where that cannot be said before the hosts are asked.
  returned: stage is select
  type: dict
asked:
  description: By host, the digest of its part of RV(shares).
  returned: stage is select
  type: dict
unchecked:
  description: Hosts of which the plan asks something else than O(asked) says.
  returned: stage is plan
  type: list
  elements: str
problems:
  description: What keeps the plan from running, as the hosts told that are not in RV(unchecked).
  returned: stage is plan
  type: list
  elements: str
sound:
  description:
    - Whether no host has to be asked again, none has a problem, nothing is RV(leaving), and the plan uses all hosts of
      the play.
  returned: stage is plan
  type: bool
converged:
  description: Hosts that are as the plan wants them, so that nothing is to be done there.
  returned: stage is plan
  type: list
  elements: str
due:
  description: The waves, from 0, in which something is to be done.
  returned: stage is plan
  type: list
  elements: int
ends:
  description: By host that is not in RV(converged), the last wave in which it has something to do.
  returned: stage is plan
  type: dict
leaving:
  description:
    - By host of O(left_on) on which something is to be removed before the plan is applied, the replicas that stay.
    - A replica stays where it is as the plan wants it, and so is all that it depends on.
  returned: stage is plan
  type: dict
has_secrets:
  description: Whether the plan has containers with secrets.
  returned: stage is plan
  type: bool
prepare:
  description: The images with their build contexts and hosts, and the models.
  returned: stage is prepare
  type: dict
plan:
  description: The plan.
  returned: stage is plan
  type: dict
summary:
  description: The plan in words as it is printed; RV(plan) has every replica however O(full) is set.
  returned: stage is plan
  type: str
run_id:
  description: Id of the run that begins, or null.
  returned: stage is plan
  type: str
sources:
  description:
    - Where on the controller the content of the plan's files is, by digest, as M(retail.profiles.profile_apply)
      takes it.
    - It is in the profile's folder; or, where a run begins, in the folder C(files) of its directory.
  returned: stage is plan
  type: dict
run_dir:
  description: Directory of the run on the controller, or null.
  returned: stage is plan
  type: str
density:
  description: With O(seek), what a stream is; else null.
  returned: stage is plan
  type: dict
notes:
  description: O(notes).
  returned: stage is plan
  type: str
variables:
  description: The variables that shape the run, which its record has; empty where none begins.
  returned: stage is plan
  type: dict
models:
  description: By host, the digests that the run which is made again has recorded of its models.
  returned: stage is select, for a stored plan
  type: dict
measuring:
  description: The variables by which the run that is made again was measured; empty where none is.
  returned: stage is plan
  type: dict
repeats:
  description: The directory of the run that is made again, or null.
  returned: stage is plan
  type: str
live:
  description: O(live), where a run begins; else null.
  returned: stage is plan
  type: str
"""
