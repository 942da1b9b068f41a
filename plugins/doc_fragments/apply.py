# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations


class ModuleDocFragment:
    """What profile_apply needs and takes. A fragment does not travel to hosts, as what stands in a module does."""

    DOCUMENTATION = r"""
requirements:
  - Python 3.9 or later on the host
  - the Python package C(docker) 5.0.3 or later on the host
  - Docker Engine 20.10 or later
attributes:
  check_mode:
    description: Can run in check mode and says what would change, without writing anything.
    support: full
  diff_mode:
    description: Shows each field that differs, as it is and as it should be.
    support: full
options:
  state:
    description:
      - V(checked) only looks for whatever would keep the share from running, and reports all of it at once.
        Images that are missing are pulled. With O(lease) it takes the deployment on this host, and keeps it.
      - V(prepared) writes the record, makes networks, files, images and volumes, but no container, and waits until what
        the replicas depend on is reached from this host.
      - V(present) is V(prepared), then makes, makes anew, updates or starts the containers of the share, and waits for
        them. Where only limits or the restart policy differ, and the engine can change them in a container's life, the
        container is updated and its processes go on.
      - V(ready) only waits until the replicas of the share are ready.
      - V(absent) removes the deployment from the host.
      - V(released) only gives O(lease) back.
    type: str
    choices: [checked, prepared, present, ready, absent, released]
    default: present
  engine_timeout:
    description:
      - Seconds that one call of the host's Docker Engine may take. Calls that take longer by nature (to pull an image,
        to stop a container) have more. The action plugin fills in the variable C(profile_engine_timeout), where it is
        set.
    type: int
    default: 60
  snapshot:
    description:
      - With O(state=checked), also answer with all that planning must know of the host, as
        M(retail.profiles.profile_facts) does; so one call serves both.
    type: bool
    default: false
  deployment:
    description: Name of the deployment. Needed but for O(state=checked), and for O(state=absent) with O(all=true).
    type: str
  all:
    description: With O(state=absent) and without O(deployment), remove every deployment from the host.
    type: bool
    default: false
  run_id:
    description: The run that this belongs to. It goes into the record, so that O(state=absent) finds its sampler.
    type: str
  plan_id:
    description: The plan that this belongs to. It goes into the record.
    type: str
  lease:
    description:
      - Who asks. One playbook at a time works on a deployment of a host - whoever is given its lease, until it is given
        back, or until 60 seconds have passed since its last call here (by this host's own clock).
      - Another is refused, and told who holds the deployment and since when.
      - Without it the deployment is held for as long as the call takes.
    type: dict
    suboptions:
      deployment:
        description: The deployment that it is of, where it was given already; O(deployment) must be the same.
        type: str
      holder:
        description: The playbook's process, as P(retail.profiles.claim#lookup) gives it.
        type: str
        required: true
      owner:
        description: The same for people.
        type: str
        required: true
      epoch:
        description: Number of the lease that it holds, from RV(lease). Without it a new one is asked for.
        type: int
      running:
        description: All playbook processes that are alive on the same controller. Leases of others of it have ended.
        type: list
        elements: str
      force:
        description: Take the lease, whoever holds it. What that playbook still does here ends.
        type: bool
        default: false
  release:
    description:
      - Give O(lease) back when the call is over. O(state=absent) always does.
      - With O(state=checked), O(share) is taken for all that the host has of the deployment, and the answer has
        RV(converged). Only where that is true O(lease) is given back, as nothing is to be done on this host then.
    type: bool
    default: false
  lock_wait:
    description:
      - With O(state=absent), seconds to wait for a deployment that another playbook works on. One that gives no sign of
        life is waited for in any case, until its lease runs out.
    type: float
    default: 0
  share:
    description: What this host has to run, from the plan.
    type: dict
    suboptions:
      networks:
        description: Networks, as arguments of M(community.docker.docker_network).
        type: list
        elements: dict
      files:
        description: Files and folders of the profile that have to be on the host.
        type: list
        elements: dict
        suboptions:
          path:
            description: Its path in the profile.
            type: str
            required: true
          kind:
            description: What it is.
            type: str
            choices: [file, directory]
            default: file
          sha256:
            description: SHA-256 of the content of a file, or of the manifest of a folder, in hexadecimal.
            type: str
            required: true
          mode:
            description: Mode of a file, in octal.
            type: str
            default: "0644"
          size:
            description: Its size in bytes.
            type: int
          dest:
            description: Where it goes, inside of the deployment's folder C(files) in the state directory.
            type: str
            required: true
      paths:
        description: What has to be on the host. Only O(state=checked) looks at it.
        type: list
        elements: dict
        suboptions:
          kind:
            description: What it is. All but V(path) are the engine's.
            type: str
            choices: [path, volume, network, container]
            default: path
          path:
            description: An absolute path, or a name.
            type: str
            required: true
          container:
            description: The container that needs it.
            type: str
            required: true
          field:
            description: The field of the profile that names it.
            type: str
            required: true
          model:
            description: Name of the model that it is the repository of. It must then hold a version folder.
            type: str
      replicas:
        description: Containers of this host, in no particular order.
        type: list
        elements: dict
        suboptions:
          name:
            description: Name of the replica, which is that of its Docker container.
            type: str
            required: true
          container:
            description: Its container in the profile.
            type: str
            required: true
          task:
            description: Arguments of M(community.docker.docker_container).
            type: dict
            required: true
          pull:
            description: When to pull its image.
            type: str
            choices: [missing, always, never]
            default: missing
          ready:
            description: Probes that must succeed after it has started. See RV(replicas).
            type: list
            elements: dict
          reach:
            description: Probes that must succeed from this host before it is made.
            type: list
            elements: dict
      shared:
        description:
          - Containers that other deployments may use, too. Where one runs for another deployment, it is joined and not
            changed, and it is removed with the last deployment that uses it.
          - Each has O(share.networks) and O(share.files) of its own, and one entry in O(share.replicas).
        type: list
        elements: dict
  wave:
    description:
      - Number of the wave, from 0, whose part for this host is applied.
      - It is taken from the variables of the role P(retail.profiles.profile#role), C(profile_answer) above all, on the
        controller. Options that are given count more. A host that has nothing to do in the wave is skipped.
    type: int
  sources:
    description:
      - Where the content of O(share.files) is on the controller, by C(sha256) - a dictionary with C(path), or with
        C(content) in Base64 - as M(retail.profiles.profile_plan) returns it.
      - Only what is missing on the host is sent to it.
    type: dict
    default: {}
  missing:
    description:
      - Places (C(dest)) of those of O(share.files) that are known to be missing on the host, as RV(missing) of
        O(state=checked). It saves a call on a host on which something is missing.
    type: list
    elements: str
    default: []
  archives:
    description: Content that is sent to the host. It is filled in on the controller from O(sources).
    type: list
    elements: dict
    default: []
    suboptions:
      dest:
        description: Place of the file or folder.
        type: str
        required: true
      data:
        description: A compressed tar archive, in Base64.
        type: str
      file:
        description: Path of a compressed tar archive on the host.
        type: path
  secrets:
    description:
      - The secrets of each replica of the share, by its name, as variables of its environment. Needed with
        O(state=present) for those that the label C(retail.profiles.secrets) of a task names.
      - They reach the containers through the engine's API, and are written nowhere. The host's record holds a digest
        of them that is keyed (HMAC-SHA-256) with a random key of this host and deployment.
      - Whoever may use the engine can read them with C(docker inspect).
    type: dict
  expected:
    description:
      - Names of all replicas of this deployment that belong on this host.
      - With O(state=prepared) and O(state=present) other containers of the deployment are removed, and other shared
        ones are left. Without it none is.
    type: list
    elements: str
  concurrency:
    description: How many containers are made, started or removed at the same time.
    type: int
    default: 4
"""
