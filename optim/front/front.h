/* The optimizer and its groups, shared by optimizer.c (the step) and group.c
 * (parameters). */
#ifndef NGI_FRONT_H
#define NGI_FRONT_H

#include "optim/front/method.h"

struct ng_group {
    ng_optimizer *optimizer;
    const ng_method *method;
    void *options;      /* our copy of the method's struct */
    ngi_param **params; /* each allocated by itself: addresses stay */
    size_t count, capacity;
    ngi_joint joint;
};

typedef struct {
    ng_monitor call;
    void *data;
} ngi_listener;

/* One parameter's part of a step. */
typedef struct {
    ng_group *group;
    ngi_param *param;
    ng_status status;
    ng_error error;
} ngi_task;

/* Whose turn it is when tasks are spread over threads. */
typedef struct {
    double cost;
    size_t task;
} ngi_turn;

struct ng_optimizer {
    ng_group **groups;
    size_t group_count, group_capacity;
    ngi_listener *listeners;
    size_t listener_count, listener_capacity;
    ng_message message;
    void *message_data;
    int threads;
    double clip_value, clip_norm; /* 0: off */
    double clip_factor;           /* of the last step */
    int staged;                   /* did the last step go by copies of the gradients? */
    unsigned long long micro;     /* micro-batches accumulated since the last step */
    ng_work *work;   /* scratch for prepare, one per thread, each large enough for any parameter */
    ngi_task *tasks; /* of a step, in the order of adding */
    ngi_turn *turns; /* the tasks again, costliest first */
    size_t param_count, task_capacity, turn_capacity;
    unsigned long long steps;
    ng_error error;
};

ng_status ngi_group_create(ng_group **group, ng_optimizer *optimizer, const void *options);
void ngi_group_destroy(ng_group *group);

/* Takes back the parameters added last. */
void ngi_group_truncate(ng_group *group, size_t count);

/* The parameter of that index, or NULL with the optimizer's error filled. */
ngi_param *ngi_param_find(ng_group *group, size_t index);

/* Frees the parameter's tensors and update. */
void ngi_param_drop_state(ngi_param *param);

/* w and dw are usable, not empty, alike in shape and dtype. */
ng_status ngi_check_views(const char *name, ng_mat w, ng_mat dw, ng_error *error);

/* Neither the name (NULL: not asked) nor any of the weights belong to a parameter other than self.
 */
ng_status ngi_check_new(const ng_optimizer *optimizer, const ngi_param *self, const char *name,
                        ng_mat w, ng_error *error);

/* Makes room in a step for one more parameter. */
ng_status ngi_step_reserve(ng_optimizer *optimizer);

/* Puts the mean over micro-batches, clipped, in the place of every parameter's gradient where the
 * step asks for it; all or none. ngi_gradients_restore undoes it, whatever became of the step. */
ng_status ngi_gradients_stage(ng_optimizer *optimizer);
void ngi_gradients_restore(ng_optimizer *optimizer);

/* Allocates the sums of accumulation where there are none. */
ng_status ngi_gradients_reserve(ng_optimizer *optimizer);

/* After a step that is done: accumulation begins anew. */
void ngi_gradients_reset(ng_optimizer *optimizer);

/* Prepares and commits every parameter: all or none. */
ng_status ngi_step(ng_optimizer *optimizer);

/* Bytes of the parameter's state and spare copies. */
size_t ngi_param_memory(const ngi_param *param);

#endif
