/* A stub of vendors' reader libraries for tests: exports SDT_*, CVR_* and a photo decoder, and asks the emulated module over a local socket (STUB_SAM).
   STUB_FAULT: hang, crash, overflow, lie (lengths), huge (lengths), no_photo; it strikes when the card's contents are asked for.
   Written from the public signatures; it is no vendor's code. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int line = -1;

static int fault(const char *name) {
    const char *set = getenv("STUB_FAULT");
    return set && strcmp(set, name) == 0;
}

static int all(int (*step)(unsigned char *, int), unsigned char *bytes, int size) {
    int done = 0;
    while (done < size) {
        int now = step(bytes + done, size - done);
        if (now <= 0) return 0;
        done += now;
    }
    return 1;
}

static int taken(unsigned char *bytes, int size) { return (int)read(line, bytes, size); }
static int given(unsigned char *bytes, int size) { return (int)write(line, bytes, size); }

static int plug(void) {
    struct sockaddr_un place = {.sun_family = AF_UNIX};
    const char *path = getenv("STUB_SAM");
    if (!path) return 0;
    strncpy(place.sun_path, path, sizeof place.sun_path - 1);
    line = socket(AF_UNIX, SOCK_STREAM, 0);
    if (line >= 0 && connect(line, (struct sockaddr *)&place, sizeof place) == 0) return 1;
    if (line >= 0) close(line);
    line = -1;
    return 0;
}

static void unplug(void) {
    if (line >= 0) close(line);
    line = -1;
}

/* One exchange: the status, and the data of the answer. 1: no port, 2: no answer. */
static int ask(int cmd, int para, unsigned char *data, int *size) {
    unsigned char frame[10] = {0xAA, 0xAA, 0xAA, 0x96, 0x69, 0, 3, (unsigned char)cmd, (unsigned char)para, (unsigned char)(3 ^ cmd ^ para)};
    unsigned char head[7], rest[4096];
    *size = 0;
    if (line < 0) return 1;
    if (!all(given, frame, 10) || !all(taken, head, 7)) return 2;
    int length = head[5] * 256 + head[6];
    if (length < 4 || length > (int)sizeof rest || !all(taken, rest, length)) return 3;
    int sum = head[5] ^ head[6];
    for (int place = 0; place < length - 1; place++) sum ^= rest[place];
    if (sum != rest[length - 1]) return 3;
    *size = length - 4;
    memcpy(data, rest + 3, *size);
    return rest[2];
}

static void strike(unsigned char *text) {
    if (fault("hang")) for (;;) sleep(60);
    if (fault("crash")) *(volatile int *)8 = 1;
    if (fault("overflow")) memset(text, 0x42, 20000);
}

static int base(unsigned char *text, unsigned *text_size, unsigned char *photo, unsigned *photo_size) {
    unsigned char data[4096];
    int size, status;
    strike(text);
    status = ask(0x30, 1, data, &size);
    if (status != 0x90) return status;
    *text_size = data[0] * 256 + data[1];
    *photo_size = data[2] * 256 + data[3];
    if (*text_size + *photo_size + 4 <= (unsigned)size) {
        memcpy(text, data + 4, *text_size);
        memcpy(photo, data + 4 + *text_size, *photo_size);
    }
    if (fault("lie")) *text_size = 250;
    if (fault("huge")) *photo_size = 0x7FFFFFFF;
    return status;
}

/* -- SDT: results are the module's statuses ------------------------------------------------------------------------------------------- */
int SDT_OpenPort(int port) { return port == 1001 && plug() ? 0x90 : 1; }
int SDT_ClosePort(int port) { (void)port; unplug(); return 0x90; }

static int fixed(int cmd, int para, unsigned char *out, int room) {
    unsigned char data[4096];
    int size, status = ask(cmd, para, data, &size);
    memcpy(out, data, size < room ? size : room);
    return status;
}

int SDT_GetSAMStatus(int port, int open) { unsigned char none[64]; (void)port; (void)open; return fixed(0x11, 0xFF, none, 64); }
int SDT_GetSAMID(int port, unsigned char *id, int open) { (void)port; (void)open; return fixed(0x12, 0xFF, id, 16); }
int SDT_StartFindIDCard(int port, unsigned char *iin, int open) { (void)port; (void)open; return fixed(0x20, 1, iin, 4); }
int SDT_SelectIDCard(int port, unsigned char *sn, int open) { (void)port; (void)open; return fixed(0x20, 2, sn, 8); }
int SDT_ReadMngInfo(int port, unsigned char *out, int open) { (void)port; (void)open; return fixed(0x30, 5, out, 28); }

int SDT_ReadBaseMsg(int port, unsigned char *text, unsigned *text_size, unsigned char *photo, unsigned *photo_size, int open) {
    (void)port; (void)open;
    return base(text, text_size, photo, photo_size);
}

int SDT_ReadNewAppMsg(int port, unsigned char *out, unsigned *size, int open) {
    int got, status = ask(0x30, 3, out, &got);
    (void)port; (void)open;
    *size = got;
    return status;
}

/* -- CVR: 1 is good; find and select are one call --------------------------------------------------------------------------------------- */
int CVR_InitComm(int port) { return port == 1001 && plug() ? 1 : 2; }
int CVR_CloseComm(void) { unplug(); return 1; }

int CVR_Authenticate(void) {
    unsigned char data[4096];
    int size;
    if (ask(0x20, 1, data, &size) != 0x9F) return 2;
    return ask(0x20, 2, data, &size) == 0x90 ? 1 : 3;
}

int CVR_ReadBaseMsg(unsigned char *text, unsigned *text_size, unsigned char *photo, unsigned *photo_size, int mode) {
    (void)mode;
    return base(text, text_size, photo, photo_size) == 0x90 ? 1 : 0;
}

int CVR_GetSAMID(char *out) {
    unsigned char id[4096];
    int size;
    if (ask(0x12, 0xFF, id, &size) != 0x90) return 0;
    unsigned parts[3];
    memcpy(parts, id + 4, 12);
    sprintf(out, "%02u.%02u-%08u-%010u-%010u", id[0] + id[1] * 256u, id[2] + id[3] * 256u, parts[0], parts[1], parts[2]);
    return 1;
}

/* -- the photo decoder: grey rows, brighter from the bottom (its last row) up, so that a test sees the order ------------------------------- */
int unpack(char *wlt, char *pixels, int magic) {
    if (fault("hang")) for (;;) sleep(60);
    if (fault("crash")) *(volatile int *)8 = 1;
    if (fault("no_photo") || magic != 708) return 0;
    for (int row = 0; row < 126; row++)
        for (int place = 0; place < 102; place++) {
            char *pixel = pixels + (row * 102 + place) * 3;
            pixel[0] = (char)row;
            pixel[1] = wlt[0];
            pixel[2] = (char)place;
        }
    if (fault("overflow")) memset(pixels, 0x42, 102 * 126 * 3 + 2000);
    return 1;
}
