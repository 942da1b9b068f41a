/* Copyright: (c) 2026, the retail.profiles authors
 * GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
 * SPDX-License-Identifier: GPL-3.0-or-later
 * What the tests have for libnvidia-ml.so.1: one GPU, with the structures and return values of NVML's documentation. */

#include <stddef.h>
#include <string.h>

typedef int nvmlReturn_t;
typedef struct device *nvmlDevice_t;
typedef struct {
    char busIdLegacy[16];
    unsigned int domain, bus, device, pciDeviceId, pciSubSystemId;
    char busId[32];
} nvmlPciInfo_t;
typedef struct { unsigned int gpu, memory; } nvmlUtilization_t;
typedef struct { unsigned long long total, free, used; } nvmlMemory_t;
typedef struct {
    unsigned int pid;
    unsigned long long usedGpuMemory;
    unsigned int gpuInstanceId, computeInstanceId;
} nvmlProcessInfo_t;
typedef struct {
    unsigned int pid;
    unsigned long long timeStamp;
    unsigned int smUtil, memUtil, encUtil, decUtil;
} nvmlProcessUtilizationSample_t;

enum { SUCCESS, UNINITIALIZED, INVALID_ARGUMENT, NOT_SUPPORTED, NOT_FOUND = 6, INSUFFICIENT_SIZE = 7 };
enum { PROCESSES = 70 };
struct device { int number; };
static struct device only = {42};
static int users;

const char *nvmlErrorString(nvmlReturn_t status) { return status == NOT_SUPPORTED ? "Not Supported" : "Error"; }
nvmlReturn_t nvmlInit_v2(void) { users++; return SUCCESS; }
nvmlReturn_t nvmlShutdown(void) { users--; return SUCCESS; }
int standInUsers(void) { return users; }

nvmlReturn_t nvmlDeviceGetCount_v2(unsigned int *count) {
    *count = 1;
    return users ? SUCCESS : UNINITIALIZED;
}
nvmlReturn_t nvmlDeviceGetHandleByIndex_v2(unsigned int index, nvmlDevice_t *device) {
    *device = &only;
    return index ? INVALID_ARGUMENT : SUCCESS;
}
nvmlReturn_t nvmlDeviceGetPciInfo_v3(nvmlDevice_t device, nvmlPciInfo_t *pci) {
    memset(pci, 0, sizeof *pci);
    pci->bus = 0x65;
    pci->pciDeviceId = 0x223010de;
    strcpy(pci->busId, "00000000:65:00.0");
    return device == &only ? SUCCESS : INVALID_ARGUMENT;
}
nvmlReturn_t nvmlDeviceGetUtilizationRates(nvmlDevice_t device, nvmlUtilization_t *rates) {
    rates->gpu = 87;
    rates->memory = 40;
    return device->number == 42 ? SUCCESS : INVALID_ARGUMENT;
}
nvmlReturn_t nvmlDeviceGetMemoryInfo(nvmlDevice_t device, nvmlMemory_t *memory) {
    memory->total = 25757220864ULL;
    memory->free = 20757220864ULL;
    memory->used = 5000000000ULL;
    return device->number == 42 ? SUCCESS : INVALID_ARGUMENT;
}
nvmlReturn_t nvmlDeviceGetPowerUsage(nvmlDevice_t device, unsigned int *milliwatts) {
    *milliwatts = 215500;
    return device->number == 42 ? SUCCESS : INVALID_ARGUMENT;
}
nvmlReturn_t nvmlDeviceGetTemperature(nvmlDevice_t device, int sensor, unsigned int *celsius) {
    *celsius = 66;
    return device->number == 42 && sensor == 0 ? SUCCESS : INVALID_ARGUMENT;
}
nvmlReturn_t nvmlDeviceGetClockInfo(nvmlDevice_t device, int clock, unsigned int *megahertz) {
    *megahertz = 1695;
    return device->number == 42 && clock == 0 ? SUCCESS : INVALID_ARGUMENT;
}
/* Processes 1000, 1001, …, each with 1 MiB more than the one before it. */
nvmlReturn_t nvmlDeviceGetComputeRunningProcesses_v3(nvmlDevice_t device, unsigned int *count, nvmlProcessInfo_t *infos) {
    unsigned int room = *count;
    *count = PROCESSES;
    if (room < PROCESSES)
        return INSUFFICIENT_SIZE;
    for (unsigned int i = 0; i < PROCESSES; i++)
        infos[i] = (nvmlProcessInfo_t){1000 + i, (i + 1ULL) << 20, 0xffffffffU, 0xffffffffU};
    return device->number == 42 ? SUCCESS : INVALID_ARGUMENT;
}
nvmlReturn_t nvmlDeviceGetGraphicsRunningProcesses_v3(nvmlDevice_t device, unsigned int *count, nvmlProcessInfo_t *infos) {
    *count = 2;
    infos[0] = (nvmlProcessInfo_t){1000, 1ULL << 20, 0xffffffffU, 0xffffffffU}; /* it computes as well */
    infos[1] = (nvmlProcessInfo_t){7, ~0ULL, 0xffffffffU, 0xffffffffU};
    return device->number == 42 ? SUCCESS : INVALID_ARGUMENT;
}
/* Of process 1000 a sample a call, at a time that goes on; of 1001 one that is none. */
nvmlReturn_t nvmlDeviceGetProcessUtilization(nvmlDevice_t device, nvmlProcessUtilizationSample_t *samples,
                                             unsigned int *count, unsigned long long since) {
    static unsigned long long now = 1700000000000000ULL;
    now += 1000000;
    if (*count < 3) {
        *count = 3;
        return INSUFFICIENT_SIZE;
    }
    *count = 3;
    samples[0] = (nvmlProcessUtilizationSample_t){1000, now - 500000, 30, 5, 0, 0};
    samples[1] = (nvmlProcessUtilizationSample_t){1000, now, 50, 5, 0, 0};
    samples[2] = (nvmlProcessUtilizationSample_t){1001, now, 4000000000U, 0, 0, 0};
    return device->number == 42 && since < now ? SUCCESS : NOT_FOUND;
}
