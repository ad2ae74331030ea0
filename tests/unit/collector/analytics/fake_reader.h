/* fake_reader.h: how a test breaks the fake trail. */
#ifndef CAIRN_TESTS_ANALYTICS_FAKE_READER_H
#define CAIRN_TESTS_ANALYTICS_FAKE_READER_H

#include "world.h"

/** The next snapshot's batch with this number (from 0) is damaged. */
void fake_reader_fail_at_batch(int batch);

#endif
