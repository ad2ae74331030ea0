/* A configuration that is accepted is whole; one that is refused says why. */
#include <stdint.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "edge/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    cairn__config config;
    cairn__config_problem problem;
    cairn_status status =
        cairn__config_read("fuzz.yaml", cairn__span(data, size), NULL, &config, &problem);
    if (status != CAIRN_OK) {
        CAIRN_ASSERT(problem.text[0] != 0);
        return 0;
    }
    CAIRN_ASSERT(config.project_count > 0 && config.data_dir[0] != 0);
    CAIRN_ASSERT(config.commit_interval_ms >= 10 && config.commit_interval_ms <= 200);
    CAIRN_ASSERT(cairn__config_fixed_difference(&config, &config) == NULL);
    cairn__config_free(&config);
    return 0;
}
