/* A PKCS#11 library in front of SoftHSM that has the faults of real tokens: counts wrong PINs down to locked, is pulled, is slow, crashes, hangs.
 * Never part of the product. What it does is told by small files in the folder that this library lies in:
 *   module   path of the real library              tries     wrong PINs left (absent: no counting); max: what a right PIN sets it back to
 *   removed  present: the token is pulled          epoch     changes with every pull: older sessions are dead
 *   signms   a signature takes so long             crash     name of the call that takes the process down (sign, login, list, info, finalize)
 *   pad      the PIN that a PIN pad gives, or      hang      name of the call that never answers
 *            "cancel" when the person gives up     fail      "<call> <CKR in hex>": this call fails so
 *   slept    changes when the computer slept: the token lost its login, the library thinks it still has one until it is opened anew
 *   logins   written here: one byte for every C_Login that reached the token with a PIN
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <p11-kit/pkcs11.h>

static CK_FUNCTION_LIST *real;
static CK_FUNCTION_LIST list;
static char folder[2048];
static char epoch[64];
static int said_removed;
static long slept;

static int state(const char *name, char *text, size_t size) {
    char path[2200];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return 0;
    ssize_t n = text ? read(file, text, size - 1) : 0;
    if (text) text[n > 0 ? n : 0] = 0;
    close(file);
    return 1;
}

static long number(const char *name, long otherwise) {
    char text[64];
    return state(name, text, sizeof text) ? strtol(text, NULL, 10) : otherwise;
}

static void write_number(const char *name, long value) {
    char path[2200];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "we");
    if (file) { fprintf(file, "%ld", value); fclose(file); }
}

/* What every call does first: crash, hang or fail when told so. */
static CK_RV trouble(const char *call) {
    char text[64], *space;
    if (state("crash", text, sizeof text) && !strcmp(text, call)) *(volatile int *)0 = 1;
    if (state("hang", text, sizeof text) && !strcmp(text, call)) for (;;) pause();
    if (state("fail", text, sizeof text) && (space = strchr(text, ' ')) && !strncmp(text, call, (size_t)(space - text)) && !call[space - text])
        return strtoul(space + 1, NULL, 16);
    return CKR_OK;
}

/* A pulled token: the first call on a session hears DEVICE_REMOVED, all later ones SESSION_HANDLE_INVALID, also after it is back. */
static CK_RV session_gone(void) {
    char now[64] = "";
    state("epoch", now, sizeof now);
    if (strcmp(now, epoch)) {
        CK_SLOT_ID slots[32];
        CK_ULONG count = 32;
        strcpy(epoch, now);
        said_removed = 0;
        if (real->C_GetSlotList(CK_TRUE, slots, &count) == CKR_OK)
            for (CK_ULONG i = 0; i < count; i++) real->C_CloseAllSessions(slots[i]);
    }
    if (!state("removed", NULL, 0)) return CKR_OK;
    if (said_removed) return CKR_SESSION_HANDLE_INVALID;
    said_removed = 1;
    return CKR_DEVICE_REMOVED;
}

#define SESSION() do { CK_RV gone = session_gone(); if (gone != CKR_OK) return gone; } while (0)
#define TROUBLE(call) do { CK_RV told = trouble(call); if (told != CKR_OK) return told; } while (0)

static CK_RV p_Initialize(void *args) { state("epoch", epoch, sizeof epoch); said_removed = 0; slept = number("slept", 0); return real->C_Initialize(args); }
static CK_RV p_Finalize(void *args) { TROUBLE("finalize"); return real->C_Finalize(args); }

static CK_RV p_GetSlotList(CK_BBOOL present, CK_SLOT_ID *slots, CK_ULONG *count) {
    TROUBLE("list");
    if (present && state("removed", NULL, 0)) { *count = 0; return CKR_OK; }
    return real->C_GetSlotList(present, slots, count);
}

static CK_RV p_GetTokenInfo(CK_SLOT_ID slot, CK_TOKEN_INFO *info) {
    TROUBLE("info");
    if (state("removed", NULL, 0)) return CKR_TOKEN_NOT_PRESENT;
    CK_RV answer = real->C_GetTokenInfo(slot, info);
    if (answer != CKR_OK) return answer;
    long tries = number("tries", -1), max = number("max", 3);
    if (tries >= 0) {
        info->flags &= ~(CK_FLAGS)(CKF_USER_PIN_COUNT_LOW | CKF_USER_PIN_FINAL_TRY | CKF_USER_PIN_LOCKED);
        if (tries < max) info->flags |= CKF_USER_PIN_COUNT_LOW;
        if (tries == 1) info->flags |= CKF_USER_PIN_FINAL_TRY;
        if (tries == 0) info->flags |= CKF_USER_PIN_LOCKED;
    }
    if (state("pad", NULL, 0)) info->flags |= CKF_PROTECTED_AUTHENTICATION_PATH;
    return CKR_OK;
}

static CK_RV p_OpenSession(CK_SLOT_ID slot, CK_FLAGS flags, void *application, CK_NOTIFY notify, CK_SESSION_HANDLE *session) {
    TROUBLE("open");
    session_gone();
    if (state("removed", NULL, 0)) return CKR_TOKEN_NOT_PRESENT;
    return real->C_OpenSession(slot, flags, application, notify, session);
}

static CK_RV p_CloseSession(CK_SESSION_HANDLE session) { SESSION(); return real->C_CloseSession(session); }

static CK_RV p_Login(CK_SESSION_HANDLE session, CK_USER_TYPE user, unsigned char *pin, CK_ULONG length) {
    char typed[64], path[2200];
    SESSION();
    TROUBLE("login");
    if (number("slept", 0) != slept) return CKR_USER_ALREADY_LOGGED_IN;
    if (!pin) {
        if (!state("pad", typed, sizeof typed)) return CKR_ARGUMENTS_BAD;
        if (!strcmp(typed, "cancel")) return CKR_FUNCTION_CANCELED;
        pin = (unsigned char *)typed;
        length = strlen(typed);
    }
    snprintf(path, sizeof path, "%s/logins", folder);
    int log = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (log >= 0) { if (write(log, "x", 1) != 1) abort(); close(log); }
    long tries = number("tries", -1);
    if (tries == 0) return CKR_PIN_LOCKED;
    CK_RV answer = real->C_Login(session, user, pin, length);
    if (tries > 0 && (answer == CKR_PIN_INCORRECT || answer == CKR_PIN_LEN_RANGE)) write_number("tries", tries - 1);
    if (tries > 0 && answer == CKR_OK) write_number("tries", number("max", 3));
    return answer;
}

static CK_RV p_Logout(CK_SESSION_HANDLE session) { SESSION(); TROUBLE("logout"); return real->C_Logout(session); }
static CK_RV p_GetSessionInfo(CK_SESSION_HANDLE session, CK_SESSION_INFO *info) { SESSION(); return real->C_GetSessionInfo(session, info); }
static CK_RV p_GetAttributeValue(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE *template, CK_ULONG count) {
    SESSION(); return real->C_GetAttributeValue(session, object, template, count);
}
static CK_RV p_FindObjectsInit(CK_SESSION_HANDLE session, CK_ATTRIBUTE *template, CK_ULONG count) {
    SESSION(); TROUBLE("find"); return real->C_FindObjectsInit(session, template, count);
}
static CK_RV p_FindObjects(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE *object, CK_ULONG max, CK_ULONG *count) {
    SESSION(); return real->C_FindObjects(session, object, max, count);
}
static CK_RV p_FindObjectsFinal(CK_SESSION_HANDLE session) { SESSION(); return real->C_FindObjectsFinal(session); }
static CK_RV p_SignInit(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key) {
    SESSION(); return real->C_SignInit(session, mechanism, key);
}

static CK_RV p_Sign(CK_SESSION_HANDLE session, unsigned char *data, CK_ULONG length, unsigned char *signature, CK_ULONG *signature_length) {
    SESSION();
    TROUBLE("sign");
    if (number("slept", 0) != slept) return CKR_USER_NOT_LOGGED_IN;
    for (long left = number("signms", 0); left > 0; left -= 20) {
        struct timespec step = {0, 20000000};
        nanosleep(&step, NULL);
        SESSION(); /* pulled while it signs */
    }
    return real->C_Sign(session, data, length, signature, signature_length);
}

CK_RV C_GetFunctionList(CK_FUNCTION_LIST **answer) {
    if (!real) {
        Dl_info self;
        char path[2048], *slash;
        if (!dladdr((void *)C_GetFunctionList, &self) || strlen(self.dli_fname) >= sizeof folder) return CKR_GENERAL_ERROR;
        strcpy(folder, self.dli_fname);
        if ((slash = strrchr(folder, '/'))) *slash = 0;
        if (!state("module", path, sizeof path)) return CKR_GENERAL_ERROR;
        void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
        CK_RV (*get)(CK_FUNCTION_LIST **) = library ? (CK_RV (*)(CK_FUNCTION_LIST **))dlsym(library, "C_GetFunctionList") : NULL;
        if (!get || get(&real) != CKR_OK) return CKR_GENERAL_ERROR;
        list = *real;
        list.C_Initialize = p_Initialize;
        list.C_Finalize = p_Finalize;
        list.C_GetFunctionList = C_GetFunctionList;
        list.C_GetSlotList = p_GetSlotList;
        list.C_GetTokenInfo = p_GetTokenInfo;
        list.C_OpenSession = p_OpenSession;
        list.C_CloseSession = p_CloseSession;
        list.C_GetSessionInfo = p_GetSessionInfo;
        list.C_Login = p_Login;
        list.C_Logout = p_Logout;
        list.C_GetAttributeValue = p_GetAttributeValue;
        list.C_FindObjectsInit = p_FindObjectsInit;
        list.C_FindObjects = p_FindObjects;
        list.C_FindObjectsFinal = p_FindObjectsFinal;
        list.C_SignInit = p_SignInit;
        list.C_Sign = p_Sign;
    }
    *answer = &list;
    return CKR_OK;
}
