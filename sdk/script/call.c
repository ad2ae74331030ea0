/* call.c: what runs within Duktape: everything here may be left by a throw at any call of it, so
 * nothing is held that would need giving back. */
#include <math.h>
#include <string.h>

#include "base/bytes.h"
#include "script/engine.h"
#include "script/text.h"

static const char not_json[] = "main returned nothing that JSON can say: return a value";
static const char not_number[] = "the use is score: main must return a finite number";
static const char not_scalar[] = "the use is tag: main must return a string of at most 1,024 "
                                 "bytes, a finite number, a boolean or "
                                 "null";
static const char not_scores[] =
    "the use is rank: main must return one finite number for each of input.items";
static const char no_items[] = "the use is rank: the input needs a list `items` of at most 1,000";
static const char too_long[] = "the result has more than 65,536 bytes as JSON: return less";

/* The global object of ES5.1 without eval and Function, which make code from text. */
static bool is_promised(const char *name) {
    static const char *const names[] = {
        "Array",
        "Boolean",
        "Date",
        "Error",
        "EvalError",
        "Infinity",
        "JSON",
        "Math",
        "NaN",
        "Number",
        "Object",
        "RangeError",
        "ReferenceError",
        "RegExp",
        "String",
        "SyntaxError",
        "TypeError",
        "URIError",
        "decodeURI",
        "decodeURIComponent",
        "encodeURI",
        "encodeURIComponent",
        "isFinite",
        "isNaN",
        "parseFloat",
        "parseInt",
        "undefined",
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(names[i], name) == 0) {
            return true;
        }
    }
    return false;
}

duk_ret_t cairn__script_harden(duk_context *context, void *udata) {
    (void)udata;
    /* (function () {}).constructor("text") */
    (void)duk_get_global_string(context, "Function");
    (void)duk_get_prop_string(context, -1, "prototype");
    (void)duk_del_prop_string(context, -1, "constructor");
    duk_push_global_object(context);
    duk_enum(context, -1, DUK_ENUM_INCLUDE_NONENUMERABLE | DUK_ENUM_OWN_PROPERTIES_ONLY);
    while (duk_next(context, -1, 0) != 0) {
        if (!is_promised(duk_get_string(context, -1))) {
            (void)duk_del_prop(context, -3); /* [.. global, names, name] */
        } else {
            duk_pop(context);
        }
    }
    return 0;
}

duk_ret_t cairn__script_compile(duk_context *context, void *udata) {
    cairn__script_engine *engine = udata;
    size_t bytes = cairn__script_text_in(engine->job->source, engine->text);
    (void)duk_push_lstring(context, (const char *)engine->text, bytes);
    (void)duk_push_string(context, "script");
    duk_compile(context, 0);
    return 1;
}

/* How many items the input has; SIZE_MAX: no list. [input] -> [input] */
static size_t count_items(duk_context *context) {
    size_t count = SIZE_MAX;
    if (duk_is_object(context, -1) != 0) {
        (void)duk_get_prop_string(context, -1, "items");
        count = duk_is_array(context, -1) != 0 ? duk_get_length(context, -1) : SIZE_MAX;
        duk_pop(context);
    }
    return count <= CAIRN__SCRIPT_ITEMS_MAX ? count : SIZE_MAX;
}

static bool is_finite_number(duk_context *context) {
    return duk_is_number(context, -1) != 0 && isfinite(duk_get_number(context, -1));
}

/* The primitive or JSON text on the top goes out; NULL, or why it cannot. */
static const char *put_text(duk_context *context, cairn__buffer *out) {
    duk_size_t bytes = 0;
    const char *text = duk_to_lstring(context, -1, &bytes);
    if (bytes > CAIRN__SCRIPT_OUT_BYTES - out->len) {
        return too_long; /* as UTF-8 as well: it is at least two thirds of this */
    }
    cairn__script_text_out(cairn__span(text, bytes), out);
    return NULL;
}

static const char *put_json(duk_context *context, cairn__buffer *out) {
    (void)duk_json_encode(context, -1);
    return duk_is_string(context, -1) == 0 ? not_json : put_text(context, out);
}

static const char *put_tag(duk_context *context, cairn__buffer *out) {
    if (is_finite_number(context)) {
        return put_text(context, out);
    }
    if (duk_check_type_mask(
            context, -1, DUK_TYPE_MASK_STRING | DUK_TYPE_MASK_BOOLEAN | DUK_TYPE_MASK_NULL) == 0) {
        return not_scalar;
    }
    const char *refusal = put_json(context, out);
    return out->len > CAIRN__SCRIPT_TAG_BYTES_MAX ? not_scalar : refusal;
}

/* Written here number by number: JSON.stringify would ask what the script says of toJSON. */
static const char *put_scores(duk_context *context, size_t count, cairn__buffer *out) {
    if (duk_is_array(context, -1) == 0 || duk_get_length(context, -1) != count) {
        return not_scores;
    }
    for (size_t i = 0; i < count; i++) {
        (void)duk_get_prop_index(context, -1, (duk_uarridx_t)i);
        if (!is_finite_number(context)) {
            return not_scores;
        }
        cairn__buffer_byte(out, i == 0 ? '[' : ',');
        (void)put_text(context, out); /* 1,000 numbers always fit */
        duk_pop(context);
    }
    cairn__buffer_append(out, count == 0 ? CAIRN_STR("[]") : CAIRN_STR("]"));
    return NULL;
}

/* [result] -> [something] */
static const char *put_result(duk_context *context, cairn__script_use use, size_t items,
                              cairn__buffer *out) {
    switch (use) {
    case CAIRN__SCRIPT_SCORE:
        if (!is_finite_number(context)) {
            return not_number;
        }
        return put_text(context, out);
    case CAIRN__SCRIPT_TAG:
        return put_tag(context, out);
    case CAIRN__SCRIPT_RANK:
        return put_scores(context, items, out);
    case CAIRN__SCRIPT_ANY:
    default:
        return put_json(context, out);
    }
}

static void push_input(duk_context *context, const cairn__script_engine *engine) {
    if (engine->job->input.len == 0) {
        duk_push_null(context);
        return;
    }
    size_t bytes = cairn__script_text_in(engine->job->input, engine->text);
    (void)duk_push_lstring(context, (const char *)engine->text, bytes);
    (void)duk_json_decode(context, -1);
}

duk_ret_t cairn__script_call(duk_context *context, void *udata) {
    cairn__script_engine *engine = udata;
    duk_call(context, 0);
    duk_pop(context);
    (void)duk_get_global_string(context, "main");
    if (duk_is_function(context, -1) == 0) {
        return duk_error(context, DUK_ERR_TYPE_ERROR,
                         "there is no function main: write function main(input) { ... }");
    }
    push_input(context, engine);
    size_t items = 0;
    if (engine->job->use == CAIRN__SCRIPT_RANK) {
        items = count_items(context);
        if (items == SIZE_MAX) {
            engine->refusal = no_items;
            return 0;
        }
    }
    duk_call(context, 1);
    engine->refusal = put_result(context, engine->job->use, items, engine->out);
    if (engine->refusal == NULL && engine->out->len > CAIRN__SCRIPT_RESULT_BYTES_MAX) {
        engine->refusal = too_long;
    }
    return 0;
}

duk_ret_t cairn__script_describe(duk_context *context, void *udata) {
    (void)udata;
    duk_int_t line = 0;
    if (duk_is_error(context, -1) != 0) {
        (void)duk_get_prop_string(context, -1, "lineNumber");
        line = duk_get_int(context, -1);
        duk_pop(context);
    }
    (void)duk_safe_to_string(context, -1);
    if (line > 0) {
        (void)duk_push_sprintf(context, "line %ld: %s", (long)line, duk_get_string(context, -1));
    }
    return 1;
}
