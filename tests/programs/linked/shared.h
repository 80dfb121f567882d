// What the files of the multi-file program share.
struct point {
    double x;
    long y;
};
typedef int (*function)(int);

void note(const char *what);
int first_function(function callback, int x);
int second_function(int n);
int (*table_entry(void))(function, int);
struct point move(struct point p, int by);
extern int shared_counter;
extern const int shared_table[];
