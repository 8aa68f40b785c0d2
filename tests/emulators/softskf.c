/* A soft token with the interface of GM/T 0016 (SKF), made of files and OpenSSL 3, with the faults of real ones. Never part of the product.
 * It lies in a folder; `plugged/<device>/` is a token that is plugged: serial, label, pin, key.pem (SM2 or RSA), cert.der, and `epoch`, which changes
 * with every pull. Files beside the library tell it what to do (tests/emulators/softskf.py writes them):
 *   tries    wrong PINs left; max: what a right PIN sets it back to      removed  all tokens are pulled; epoch: changes with every pull
 *   default  the PIN is the factory's                                    signms   a signature takes so long
 *   crash    name of the call that takes the process down                hang     name of the call that never answers
 *   fail     "<call> <SAR in hex>": this call fails so                   wrong    a signature or certificate has a wrong length
 *   busy     another program holds the token                             slept    logins made before are forgotten, handles stay
 *   logins   written here: one byte for every PIN that reached the token
 * ULONG has 32 bits, structures are packed, as in the libraries in the field.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

typedef uint32_t ULONG;
typedef int BOOL;
enum { OK = 0, FAIL = 0x0A000001, HANDLE_BAD = 0x0A000005, PARAM = 0x0A000006, TIMED_OUT = 0x0A00000F, DATA_LENGTH = 0x0A000010, NO_CERT = 0x0A00001C,
       SMALL = 0x0A000020, KEY_TYPE = 0x0A000021, REMOVED = 0x0A000023, PIN_WRONG = 0x0A000024, PIN_LOCKED = 0x0A000025, PIN_LENGTH = 0x0A000027,
       NOT_LOGGED_IN = 0x0A00002D, NO_APPLICATION = 0x0A00002E, NO_FILE = 0x0A000031 };
#define APPLICATION "SoftApp"
#define CONTAINER "container-1"
#define FULL 10

struct handle { int kind; char device[128]; char epoch[128]; int logged_in; int said_removed; struct handle *above; };
static struct handle *handles[4096];
static int count;
static char folder[2048];

static void where(void) {
    Dl_info self;
    char *slash;
    if (folder[0] || !dladdr((void *)where, &self) || strlen(self.dli_fname) >= sizeof folder) return;
    strcpy(folder, self.dli_fname);
    if ((slash = strrchr(folder, '/'))) *slash = 0;
}

static long load(const char *name, char *content, size_t size) {
    char path[2400];
    where();
    snprintf(path, sizeof path, "%s/%s", folder, name);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return -1;
    ssize_t n = content ? read(file, content, size) : 0;
    close(file);
    return n < 0 ? -1 : n;
}

static int text(const char *name, char *content, size_t size) {
    long n = load(name, content, size - 1);
    content[n > 0 ? n : 0] = 0;
    return n >= 0;
}

static int there(const char *name) { return load(name, NULL, 0) >= 0; }

static long number(const char *name, long otherwise) {
    char content[64];
    return text(name, content, sizeof content) ? strtol(content, NULL, 10) : otherwise;
}

static void keep_number(const char *name, long value) {
    char path[2400];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "we");
    if (file) { fprintf(file, "%ld", value); fclose(file); }
}

static ULONG trouble(const char *call) {
    char told[64], *space;
    if (text("crash", told, sizeof told) && !strcmp(told, call)) *(volatile int *)0 = 1;
    if (text("hang", told, sizeof told) && !strcmp(told, call)) for (;;) pause();
    if (text("fail", told, sizeof told) && (space = strchr(told, ' ')) && !strncmp(told, call, (size_t)(space - told)) && !call[space - told])
        return (ULONG)strtoul(space + 1, NULL, 16);
    return OK;
}

static void epoch_of(const char *device, char *epoch, size_t size) {
    char path[256], own[64], all[32];
    snprintf(path, sizeof path, "plugged/%s/epoch", device);
    text(path, own, sizeof own);
    text("epoch", all, sizeof all);
    snprintf(epoch, size, "%s/%s", own, all);
}

static int plugged(const char *device) {
    char path[256];
    snprintf(path, sizeof path, "plugged/%s/serial", device);
    return !there("removed") && there(path);
}

static struct handle *made(int kind, struct handle *above, const char *device) {
    struct handle *one = calloc(1, sizeof *one);
    if (!one || count == 4096) abort();
    one->kind = kind;
    one->above = above;
    snprintf(one->device, sizeof one->device, "%s", device);
    epoch_of(device, one->epoch, sizeof one->epoch);
    if (above) strcpy(one->epoch, above->epoch);
    return handles[count++] = one;
}

/* A handle of the right kind whose token is there and was not pulled since: the first call after a pull hears REMOVED, later ones HANDLE_BAD. */
static ULONG valid(void *given, int kind) {
    char now[128];
    struct handle *one = NULL;
    for (int i = 0; i < count; i++) if (handles[i] == given) one = given;
    if (!one || one->kind != kind) return HANDLE_BAD;
    epoch_of(one->device, now, sizeof now);
    if (plugged(one->device) && !strcmp(now, one->epoch)) return OK;
    if (one->said_removed) return HANDLE_BAD;
    one->said_removed = 1;
    return REMOVED;
}

#define CALL(name) do { ULONG told = trouble(name); if (told) return told; } while (0)
#define VALID(given, kind) do { ULONG told = valid(given, kind); if (told) return told; } while (0)

static ULONG give(const void *content, size_t length, void *out, ULONG *size) {
    if (!out) { *size = (ULONG)length; return OK; }
    if (*size < length) { *size = (ULONG)length; return SMALL; }
    memcpy(out, content, length);
    *size = (ULONG)length;
    return OK;
}

ULONG SKF_EnumDev(BOOL present, char *names, ULONG *size) {
    char list[4096], path[2400];
    size_t length = 0;
    struct dirent *entry;
    CALL("list");
    where();
    snprintf(path, sizeof path, "%s/plugged", folder);
    DIR *plug = there("removed") ? NULL : opendir(path);
    while (plug && (entry = readdir(plug)) && length < 3800)
        if (entry->d_name[0] != '.') length += (size_t)sprintf(list + length, "%s", entry->d_name) + 1, list[length - 1] = 0;
    if (plug) closedir(plug);
    list[length++] = 0;
    return give(list, length, names, size);
}

ULONG SKF_GetDevState(char *name, ULONG *state) { CALL("state"); *state = plugged(name) ? 1 : 0; return OK; }

ULONG SKF_ConnectDev(char *name, void **device) {
    CALL("open");
    if (!plugged(name)) return REMOVED;
    *device = made('D', NULL, name);
    return OK;
}

ULONG SKF_DisConnectDev(void *device) { CALL("finalize"); VALID(device, 'D'); ((struct handle *)device)->kind = 0; return OK; }

ULONG SKF_GetDevInfo(void *device, unsigned char *info) {
    char path[256];
    CALL("info");
    VALID(device, 'D');
    memset(info, 0, 294);
    info[0] = 1;
    memcpy(info + 2, "Soft", 4);
    snprintf(path, sizeof path, "plugged/%s/label", ((struct handle *)device)->device);
    text(path, (char *)info + 130, 32);
    snprintf(path, sizeof path, "plugged/%s/serial", ((struct handle *)device)->device);
    text(path, (char *)info + 162, 32);
    return OK;
}

ULONG SKF_LockDev(void *device, ULONG wait) { VALID(device, 'D'); return there("busy") ? TIMED_OUT : trouble("lock"); }
ULONG SKF_UnlockDev(void *device) { VALID(device, 'D'); return OK; }
ULONG SKF_EnumApplication(void *device, char *names, ULONG *size) { CALL("applications"); VALID(device, 'D'); return give(APPLICATION "\0", sizeof APPLICATION + 1, names, size); }

ULONG SKF_OpenApplication(void *device, char *name, void **application) {
    VALID(device, 'D');
    if (strcmp(name, APPLICATION)) return NO_APPLICATION;
    *application = made('A', device, ((struct handle *)device)->device);
    return OK;
}

ULONG SKF_CloseApplication(void *application) { VALID(application, 'A'); ((struct handle *)application)->kind = 0; return OK; }

ULONG SKF_GetPINInfo(void *application, ULONG who, ULONG *max, ULONG *remain, BOOL *is_default) {
    CALL("pininfo");
    VALID(application, 'A');
    if (who != 1) return PARAM;
    *max = (ULONG)number("max", FULL);
    *remain = (ULONG)number("tries", (long)*max);
    *is_default = there("default");
    return OK;
}

ULONG SKF_VerifyPIN(void *application, ULONG who, char *pin, ULONG *remain) {
    char right[64], path[2400];
    struct handle *app = application;
    VALID(application, 'A');
    CALL("login");
    snprintf(path, sizeof path, "%s/logins", folder);
    int log = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (log >= 0) { if (write(log, "x", 1) != 1) abort(); close(log); }
    long max = number("max", FULL), tries = number("tries", max);
    if (tries == 0) { *remain = 0; return PIN_LOCKED; }
    snprintf(path, sizeof path, "plugged/%s/pin", app->device);
    text(path, right, sizeof right);
    if (who != 1 || strcmp(pin, right)) {
        if (there("tries")) keep_number("tries", --tries);
        *remain = (ULONG)tries;
        return tries ? PIN_WRONG : PIN_LOCKED;
    }
    if (there("tries")) keep_number("tries", max);
    app->logged_in = 1 + (int)number("slept", 0);
    return OK;
}

ULONG SKF_ClearSecureState(void *application) { CALL("logout"); VALID(application, 'A'); ((struct handle *)application)->logged_in = 0; return OK; }
ULONG SKF_EnumContainer(void *application, char *names, ULONG *size) { CALL("find"); VALID(application, 'A'); return give(CONTAINER "\0", sizeof CONTAINER + 1, names, size); }

ULONG SKF_OpenContainer(void *application, char *name, void **container) {
    VALID(application, 'A');
    if (strcmp(name, CONTAINER)) return NO_FILE;
    *container = made('C', application, ((struct handle *)application)->device);
    return OK;
}

ULONG SKF_CloseContainer(void *container) { VALID(container, 'C'); ((struct handle *)container)->kind = 0; return OK; }

ULONG SKF_ExportCertificate(void *container, BOOL for_signing, unsigned char *certificate, ULONG *size) {
    unsigned char content[8192];
    char path[256];
    CALL("certificate");
    VALID(container, 'C');
    snprintf(path, sizeof path, "plugged/%s/cert.der", ((struct handle *)container)->device);
    long n = for_signing ? load(path, (char *)content, sizeof content) : -1;
    if (n <= 0) return NO_CERT;
    return give(content, (size_t)(there("wrong") ? n - 7 : n), certificate, size);
}

static EVP_PKEY *key_of(void *container) {
    char path[2400];
    snprintf(path, sizeof path, "%s/plugged/%s/key.pem", folder, ((struct handle *)container)->device);
    FILE *file = fopen(path, "re");
    EVP_PKEY *key = file ? PEM_read_PrivateKey(file, NULL, NULL, NULL) : NULL;
    if (file) fclose(file);
    return key;
}

ULONG SKF_ExportPublicKey(void *container, BOOL for_signing, unsigned char *blob, ULONG *size) {
    unsigned char content[268] = {0}, point[65];
    size_t n = 0;
    VALID(container, 'C');
    EVP_PKEY *key = key_of(container);
    if (!key) return FAIL;
    ULONG bits = (ULONG)EVP_PKEY_get_bits(key);
    if (EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA) {
        BIGNUM *modulus = NULL;
        memcpy(content + 4, &bits, 4);
        if (!EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &modulus) || BN_bn2binpad(modulus, content + 8, 256) < 0) return FAIL;
        BN_free(modulus);
        n = 268;
    } else {
        memcpy(content, &bits, 4);
        if (!EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point, &n) || n != 65) return FAIL;
        memcpy(content + 36, point + 1, 32);
        memcpy(content + 100, point + 33, 32);
        n = 132;
    }
    EVP_PKEY_free(key);
    return give(content, n, blob, size);
}

static ULONG sign(void *container, const unsigned char *data, size_t length, int rsa, unsigned char *out, size_t *size) {
    struct handle *app = ((struct handle *)container)->above;
    CALL("sign");
    if (app->logged_in != 1 + (int)number("slept", 0)) return NOT_LOGGED_IN;
    for (long left = number("signms", 0); left > 0; left -= 20) {
        struct timespec step = {0, 20000000};
        nanosleep(&step, NULL);
        VALID(container, 'C'); /* pulled while it signs */
    }
    EVP_PKEY *key = key_of(container);
    EVP_PKEY_CTX *context = key ? EVP_PKEY_CTX_new(key, NULL) : NULL;
    ULONG answer = OK;
    if (!context || EVP_PKEY_sign_init(context) != 1) answer = FAIL;
    else if ((EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA) != rsa) answer = KEY_TYPE;
    else if (rsa && EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) != 1) answer = FAIL;
    else if (EVP_PKEY_sign(context, out, size, data, length) != 1) answer = FAIL;
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(key);
    return answer;
}

ULONG SKF_ECCSignData(void *container, unsigned char *digest, ULONG length, unsigned char *signature) {
    unsigned char der[256];
    const unsigned char *at = der;
    size_t size = sizeof der;
    VALID(container, 'C');
    if (length != 32) return DATA_LENGTH;
    ULONG answer = sign(container, digest, length, 0, der, &size);
    if (answer) return answer;
    ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &at, (long)size);
    if (!pair) return FAIL;
    memset(signature, 0, 128);
    int off = there("wrong") ? 0 : 32; /* wrong: aligned to the left */
    BN_bn2binpad(ECDSA_SIG_get0_r(pair), signature + off, 32);
    BN_bn2binpad(ECDSA_SIG_get0_s(pair), signature + 64 + off, 32);
    ECDSA_SIG_free(pair);
    return OK;
}

ULONG SKF_RSASignData(void *container, unsigned char *data, ULONG length, unsigned char *signature, ULONG *size) {
    unsigned char made_of[512];
    size_t n = sizeof made_of;
    VALID(container, 'C');
    ULONG answer = sign(container, data, length, 1, made_of, &n);
    return answer ? answer : give(made_of, there("wrong") ? n - 1 : n, signature, size);
}
