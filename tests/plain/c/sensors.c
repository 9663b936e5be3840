/* The logger of a plant in plain C: wasi-libc, the bindings of wit-bindgen, and
 * no SDK of any host. Arguments belong to the function that gets them. */

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "logger.h"

typedef exports_plant_sensors_log_list_reading_t readings_t;
typedef exports_plant_sensors_log_reading_t reading_t;

void exports_plant_sensors_log_same(readings_t *readings, readings_t *ret) {
    *ret = *readings;
}

bool exports_plant_sensors_log_mean(readings_t *readings, double *ret,
                                    exports_plant_sensors_log_no_mean_t *err) {
    double sum = 0;
    size_t count = 0;
    bool ok = true;
    for (size_t i = 0; ok && i < readings->len; i++) {
        const reading_t *reading = &readings->ptr[i];
        if (reading->value.tag != PLANT_SENSORS_READINGS_VALUE_TEMPERATURE) {
            err->tag = EXPORTS_PLANT_SENSORS_LOG_NO_MEAN_OTHER;
            err->val.other.f0 = reading->sensor;
            err->val.other.f1 = reading->time;
            ok = false;
        } else if (reading->quality != PLANT_SENSORS_READINGS_QUALITY_BAD) {
            sum += reading->value.val.temperature;
            count++;
        }
    }
    if (ok && count == 0) {
        err->tag = EXPORTS_PLANT_SENSORS_LOG_NO_MEAN_EMPTY;
        ok = false;
    }
    if (ok)
        *ret = sum / (double)count;
    exports_plant_sensors_log_list_reading_free(readings);
    return ok;
}

void exports_plant_sensors_log_sensors(readings_t *readings, logger_list_tuple2_u32_u64_t *ret) {
    ret->len = 0;
    ret->ptr = calloc(readings->len > 0 ? readings->len : 1, sizeof *ret->ptr);
    if (ret->ptr == NULL)
        abort();
    for (size_t i = 0; i < readings->len; i++) {
        size_t known = 0;
        while (known < ret->len && ret->ptr[known].f0 != readings->ptr[i].sensor)
            known++;
        if (known == ret->len) {
            ret->ptr[known].f0 = readings->ptr[i].sensor;
            ret->len++;
        }
        ret->ptr[known].f1++;
    }
    if (ret->len == 0) {
        free(ret->ptr);
        ret->ptr = NULL;
    }
    exports_plant_sensors_log_list_reading_free(readings);
}

void exports_plant_sensors_log_place_of(reading_t *reading, exports_plant_sensors_log_place_t *ret) {
    if (!reading->place.is_some) {
        fprintf(stderr, "sensor %" PRIu32 " has no place\n", reading->sensor);
        abort();
    }
    *ret = reading->place.val;
    exports_plant_sensors_log_reading_free(reading);
}

int32_t exports_plant_sensors_log_divide(int32_t dividend, int32_t divisor) {
    return dividend / divisor;
}

bool exports_plant_sensors_log_check(reading_t *reading) {
    assert(reading->time >= 0);
    bool good = reading->quality == PLANT_SENSORS_READINGS_QUALITY_GOOD && reading->faults == 0;
    exports_plant_sensors_log_reading_free(reading);
    return good;
}

void exports_plant_sensors_log_leave(uint8_t status) {
    exit(status);
}

void exports_logger_version(logger_string_t *ret) {
    logger_string_dup(ret, "0.1.0");
}
