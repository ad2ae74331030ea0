/* history.c: cairn_history.h. */
#include "cairn/cairn_history.h"

#include "client/client.h"

bool cairn_history_next(cairn_client *client, uint64_t after_seq, cairn_history_event *event_out) {
    const cairn__deciding *deciding = &client->deciding;
    cairn__local_event event;
    bool open = client->started && client->journal.mode == CAIRN__JOURNAL_OPEN;
    if (!open || deciding->local == NULL ||
        !cairn__local_history_after(deciding->local, after_seq, &event)) {
        return false;
    }
    cairn_client_status status;
    cairn_get_status(client, &status);
    if (event.seq > status.kept_seq) {
        return false;
    }
    *event_out = (cairn_history_event){ event.seq, event.person, event.encoded };
    return true;
}
